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
    for (const { id, stage } of listIn(args[1]) as readonly ClaimSeen[]) {
      this.ledger.push({ kind: "asked", id, lease: String(args[0]), atMs, stage });
    }
  }

  /** Notes a call to a Durable Object once it took effect. */
  noteCall(atMs: number, object: string, method: string, args: readonly unknown[], result: unknown): void {
    if (!object.startsWith("ledger")) return;
    const lease = String(args[0]);
    if (method === "claim") {
      // No list of grants: every claim is granted as that of an unknown event id.
      const grants = result as readonly { id: string; kind: string }[] | undefined;
      const kinds = grants && new Map(grants.map((grant) => [grant.id, grant.kind]));
      for (const { id, stage, replay } of listIn(args[1]) as readonly ClaimSeen[]) {
        const granted = (kinds?.get(id) ?? "send") === "send";
        this.ledger.push({ kind: "claimed", id, lease, atMs, stage, granted, isReplay: replay !== undefined });
      }
    }
    if (method === "claimWaiting" && result !== undefined) this.#noteProbe(atMs, String(args[0]), String(args[1]));
    if (method === "settle") {
      for (const { id, attempt } of listIn(args[1]) as readonly SettlementSeen[]) {
        this.ledger.push({ kind: "settled", id, lease, atMs, outcome: attempt.outcome, wrote: attempt.wrote });
      }
    }
  }

  /** A probe sends what the newest delivery of the event id had been granted. */
  #noteProbe(atMs: number, id: string, lease: string): void {
    const before = this.ledger.findLast((fact) => fact.kind === "claimed" && fact.id === id && fact.granted);
    const stage = before?.kind === "claimed" ? before.stage : "outcome";
    this.ledger.push({ kind: "asked", id, lease, atMs, stage });
    this.ledger.push({ kind: "claimed", id, lease, atMs, stage, granted: true, isReplay: false });
  }
}

/** Claims and settlements cross to the ledger as JSON. */
function listIn(json: unknown): readonly unknown[] {
  return JSON.parse(String(json)) as readonly unknown[];
}
