/** What the ledger keeps of an event id, and the two questions a delivery asks it. Plain data: it crosses an RPC. */
import type { Stage } from "../../shared/record.ts";
import type { AttemptOutcome } from "../../shared/outcome.ts";

/** `pending`: neither delivered nor definitely refused, whether or not a delivery is under way. */
export type LedgerState = "pending" | "delivered" | "rejected" | "discarded";

/** One attempt as it is kept: `lost` where the delivery ended before it could say what became of the request. */
export interface LedgerAttempt {
  readonly atMs: number;
  readonly durationMs: number;
  readonly outcome: AttemptOutcome["kind"] | "lost";
  readonly wrote: "yes" | "no" | "maybe";
  /** HTTP status of WorkOS's answer; absent where there was none. */
  readonly status?: number;
  /** One line without data, such as `http_400 invalid_audit_log /targets contains`. */
  readonly reason?: string;
}

export interface LedgerEntry {
  readonly id: string;
  readonly state: LedgerState;
  /** Whether WorkOS may hold the event; a delivery under way counts as `maybe`. */
  readonly wrote: "yes" | "no" | "maybe";
  readonly stage: Stage;
  /** WorkOS idempotency key of the newest attempt: the event id, or `<event id>:r<n>` after a definite rejection. */
  readonly key: string;
  /** Highest `n` of a replay that the ledger has seen; 0 before the first. */
  readonly replays: number;
  /** Start of WorkOS's idempotency window for `key`. */
  readonly firstAttemptAtMs?: number;
  readonly attempts: readonly LedgerAttempt[];
  /** Why it was rejected or discarded. */
  readonly reason?: string;
  readonly occurredAtMs?: number;
  readonly requestId?: string;
  /** A delivery holds it at this moment. */
  readonly leased: boolean;
}

/** One record that a delivery wants to send. */
export interface Claim {
  readonly id: string;
  readonly stage: Stage;
  /** Bytes to send if none are frozen yet. */
  readonly body: string;
  readonly occurredAtMs: number;
  readonly requestId?: string;
  /** Which gateway isolate made the record, and its how-manieth it is (0: not counted). */
  readonly isolate?: string;
  readonly sequence?: number;
  readonly replay?: { readonly n: number; readonly mended: boolean; readonly acceptDuplicates: boolean };
}

/** What a delivery may do with one record. */
export type Grant =
  /** Send `body` (absent: the bytes of the claim) under `key`. */
  | {
      readonly id: string;
      readonly kind: "send";
      readonly key: string;
      readonly body?: string;
      readonly attempt: number;
      readonly firstAttemptAtMs: number;
      /** When its first attempt began, whatever the key; absent before that. */
      readonly beganAtMs?: number;
      /** What is sent is no outcome, though the claim is one: WorkOS may hold it, so the outcome can only follow. */
      readonly isOlderStage?: true;
    }
  /** An intent or a watchdog's record was delivered in its stead: the outcome becomes an event of its own. */
  | { readonly id: string; readonly kind: "late" }
  /** `delivered`, `discarded`: it has ended. `superseded`: another stage of the same event id stands in its place. */
  | { readonly id: string; readonly kind: "skip"; readonly why: "delivered" | "discarded" | "superseded" }
  | { readonly id: string; readonly kind: "rejected"; readonly reason: string }
  | { readonly id: string; readonly kind: "leased"; readonly retryAfterMs: number }
  /** WorkOS may hold it and no longer remembers its key: sending it could duplicate. */
  | { readonly id: string; readonly kind: "expired"; readonly attempts: number; readonly firstAttemptAtMs: number };

/** A search for the records of one request id. A client can choose its request id, so one may stand for many. */
export interface RequestSearch {
  readonly requestId: string;
  /** Minted from then on, ms since the epoch. */
  readonly sinceMs: number;
  /** Minted before then. */
  readonly untilMs: number;
  /** Only ids that sort after this one; empty: all. */
  readonly afterId: string;
  /** Most ids of each shard. */
  readonly limit: number;
}

/** A record that waits for its next attempt. */
export interface WaitingSince {
  readonly id: string;
  /** When its last attempt ended, ms since the epoch. */
  readonly touchedMs: number;
}

/** What is sent for a record that waits: the frozen bytes under the record's own key. */
export interface WaitingEvent {
  readonly id: string;
  readonly key: string;
  readonly body: string;
}

/** Consecutive sequence numbers of one isolate that have been seen. */
export interface SequenceRun {
  readonly isolate: string;
  readonly first: number;
  readonly last: number;
}

/** What the evidence needs of a delivered event. */
export interface Leaf {
  /** RFC 6962 hash of the bytes that WorkOS took, 64 hexadecimal digits. */
  readonly leaf: string;
  readonly organization: string;
}

/** What became of one granted record; with its leaf if it was delivered and evidence is kept. */
export interface Settlement extends Partial<Leaf> {
  readonly id: string;
  readonly attempt: LedgerAttempt;
}

/** The ledger as a delivery sees it; `lease` names the delivery. */
export interface LedgerPort {
  claim(lease: string, claims: readonly Claim[], nowMs: number): Promise<readonly Grant[]>;
  settle(lease: string, settlements: readonly Settlement[], nowMs: number): Promise<void>;
}
