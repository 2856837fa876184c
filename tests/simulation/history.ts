/** What was seen from outside during a run; the oracle judges nothing else. */
import type { AuditRecord } from "../../shared/record.ts";

/** A record in a message that the queue has accepted, or that the outbox has promised to keep. */
export interface Seen {
  readonly atMs: number;
  readonly record: AuditRecord;
  readonly by: "queue" | "outbox";
}

/** What the ledger was asked by a delivery, answered to it, or was told by it. */
export type LedgerFact =
  | {
      readonly kind: "asked";
      readonly id: string;
      readonly lease: string;
      readonly atMs: number;
      readonly stage: string;
    }
  | {
      readonly kind: "claimed";
      readonly id: string;
      readonly lease: string;
      readonly atMs: number;
      readonly stage: string;
      readonly granted: boolean;
      readonly isReplay: boolean;
    }
  | {
      readonly kind: "settled";
      readonly id: string;
      readonly lease: string;
      readonly atMs: number;
      readonly outcome: string;
      readonly wrote: string;
    };

interface ClaimSeen {
  readonly id: string;
  readonly stage: string;
  readonly replay?: object;
}

interface SettlementSeen {
  readonly id: string;
  readonly attempt: { readonly outcome: string; readonly wrote: string };
}

export class History {
  readonly seen: Seen[] = [];
  readonly ledger: LedgerFact[] = [];

  /** Notes a claim that arrives; its answer may never leave. */
  noteArrival(atMs: number, object: string, method: string, args: readonly unknown[]): void {
    if (!object.startsWith("ledger") || method !== "claim") return;
    for (const { id, stage } of args[1] as readonly ClaimSeen[]) {
      this.ledger.push({ kind: "asked", id, lease: String(args[0]), atMs, stage });
    }
  }

  /** Notes a call to a Durable Object once it took effect. */
  noteCall(atMs: number, object: string, method: string, args: readonly unknown[], result: unknown): void {
    if (!object.startsWith("ledger")) return;
    const lease = String(args[0]);
    if (method === "claim") {
      const grants = new Map(
        (result as readonly { id: string; kind: string }[]).map((grant) => [grant.id, grant.kind]),
      );
      for (const { id, stage, replay } of args[1] as readonly ClaimSeen[]) {
        const granted = grants.get(id) === "send";
        this.ledger.push({ kind: "claimed", id, lease, atMs, stage, granted, isReplay: replay !== undefined });
      }
    }
    if (method === "settle") {
      for (const { id, attempt } of args[1] as readonly SettlementSeen[]) {
        this.ledger.push({ kind: "settled", id, lease, atMs, outcome: attempt.outcome, wrote: attempt.wrote });
      }
    }
  }
}
