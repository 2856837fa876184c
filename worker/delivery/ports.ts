/** The ports of a delivery; a simulation passes its own. */
import type { AuditRecord } from "../../shared/record.ts";
import type { DeadLetterEntry } from "../dead-letters/entry.ts";
import type { Leaf, LedgerPort } from "../ledger/types.ts";
import type { AttemptOutcome, Verdict } from "../../shared/outcome.ts";
import type { PreparedEvent } from "../prepared-event.ts";
import type { WorkosReply } from "../workos.ts";

export interface DeliverPorts {
  /** ms since the epoch. */
  readonly now: () => number;
  readonly ledger: LedgerPort;
  readonly prepare: (records: readonly AuditRecord[]) => Promise<readonly PreparedEvent[]>;
  readonly send: (body: string, key: string) => Promise<WorkosReply>;
  /** Computes the leaf of an event's bytes; absent if no evidence is kept. */
  readonly leafOf?: ((body: string) => Leaf) | undefined;
  readonly park: (entries: readonly DeadLetterEntry[]) => Promise<void>;
  /** Receives what the answers of WorkOS say about WorkOS, in the order of their arrival. */
  readonly heard: (verdicts: readonly Verdict[]) => void;
  /** Called once for each attempt, and once for each record that ends without one. */
  readonly observe: (event: RecordEvent) => void;
}

/** Where a message came from, according to QStash. */
export interface Delivery {
  /** Identifies this delivery in the ledger; never reused. */
  readonly lease: string;
  readonly messageId?: string;
  /** `Upstash-Retried`: 0 for the first delivery. */
  readonly retried: number;
  /** Most redeliveries by QStash, 3 to 8; absent: the default. */
  readonly retries?: number;
  /** Why nothing may be sent. The records are still claimed, so that the ledger knows them, and end as retries. */
  readonly held?: AttemptOutcome;
}

/** The result of one record in one delivery. */
export type RecordResult =
  | { readonly id: string; readonly kind: "delivered" }
  | {
      readonly id: string;
      readonly kind: "skipped";
      readonly reason: "delivered" | "discarded" | "superseded" | "repeated";
    }
  /** Ended as a dead letter, which has been stored. */
  | {
      readonly id: string;
      readonly kind: "dead_letter";
      readonly class: DeadLetterEntry["class"];
      readonly reason: string;
    }
  | {
      readonly id: string;
      readonly kind: "retry";
      readonly reason: string;
      readonly retryAfterMs?: number;
      /** When the first attempt of the record began; with `retryAfterMs`. */
      readonly beganAtMs?: number;
      /** The credential is wrong: pause delivery. */
      readonly pause?: boolean;
    };

/** One log line. */
export interface RecordEvent {
  readonly record: AuditRecord;
  readonly result: RecordResult;
  /** Absent if nothing was sent. */
  readonly attempt?: {
    readonly number: number;
    readonly key: string;
    readonly status?: number;
    readonly durationMs: number;
    readonly wrote: "yes" | "no" | "maybe";
  };
}
