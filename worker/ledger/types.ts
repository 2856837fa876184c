/** What the ledger stores for an event id, and the calls of a delivery. Plain data: it crosses an RPC. */
import type { Stage } from "../../shared/record.ts";
import type { AttemptOutcome } from "../../shared/outcome.ts";

/** `pending`: neither delivered nor definitely rejected, whether or not a delivery is under way. */
export type LedgerState = "pending" | "delivered" | "rejected" | "discarded";

/** One stored attempt; `lost` if the delivery ended before it could report what happened to the request. */
export interface LedgerAttempt {
  readonly atMs: number;
  readonly durationMs: number;
  readonly outcome: AttemptOutcome["kind"] | "lost";
  readonly wrote: "yes" | "no" | "maybe";
  /** HTTP status of WorkOS's answer; absent if there was none. */
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
  /** Highest `n` of a replay that the ledger has seen; 0 if there was none. */
  readonly replays: number;
  /** Start of WorkOS's idempotency window for `key`. */
  readonly firstAttemptAtMs?: number;
  readonly attempts: readonly LedgerAttempt[];
  /** Why it was rejected or discarded. */
  readonly reason?: string;
  readonly occurredAtMs?: number;
  readonly requestId?: string;
  /** A delivery holds it right now. */
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
  /** Which gateway isolate made the record, and its sequence number there (0: not counted). */
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
      /** When the first attempt began, under any key; absent before that. */
      readonly beganAtMs?: number;
      /** The earlier record is sent, not the claimed outcome, because WorkOS may already have it. The outcome can only follow. */
      readonly isOlderStage?: true;
    }
  /** An intent or a watchdog's record was delivered in its place: the outcome becomes an event of its own. */
  | { readonly id: string; readonly kind: "late" }
  /** `delivered`, `discarded`: it has ended. `superseded`: another stage of the same event id replaces it. */
  | { readonly id: string; readonly kind: "skip"; readonly why: "delivered" | "discarded" | "superseded" }
  | { readonly id: string; readonly kind: "rejected"; readonly reason: string }
  | { readonly id: string; readonly kind: "leased"; readonly retryAfterMs: number }
  /** WorkOS may hold it and no longer remembers its key: sending it could duplicate. */
  | { readonly id: string; readonly kind: "expired"; readonly attempts: number; readonly firstAttemptAtMs: number };

/** A search for the records of one request id. Clients can choose their request id, so it may match many records. */
export interface RequestSearch {
  readonly requestId: string;
  /** Minted at or after this time, ms since the epoch. */
  readonly sinceMs: number;
  /** Minted before this time. */
  readonly untilMs: number;
  /** Only ids that sort after this one; empty: all. */
  readonly afterId: string;
  /** Most ids per shard. */
  readonly limit: number;
}

/** A record that waits for its next attempt. */
export interface WaitingSince {
  readonly id: string;
  /** When its last attempt ended, ms since the epoch. */
  readonly touchedMs: number;
}

/** What to send for a waiting record: the frozen bytes under the record's own key. */
export interface WaitingEvent {
  readonly id: string;
  readonly key: string;
  readonly body: string;
}

/** Consecutive sequence numbers of one isolate that were seen. */
export interface SequenceRun {
  readonly isolate: string;
  readonly first: number;
  readonly last: number;
}

/** What the evidence needs from a delivered event. */
export interface Leaf {
  /** RFC 6962 hash of the bytes that WorkOS accepted, 64 hexadecimal digits. */
  readonly leaf: string;
  readonly organization: string;
}

/** The result of one granted record; with its leaf if it was delivered and evidence is kept. */
export interface Settlement extends Partial<Leaf> {
  readonly id: string;
  readonly attempt: LedgerAttempt;
}

/** The ledger as a delivery sees it; `lease` names the delivery. */
export interface LedgerPort {
  claim(lease: string, claims: readonly Claim[], nowMs: number): Promise<readonly Grant[]>;
  settle(lease: string, settlements: readonly Settlement[], nowMs: number): Promise<void>;
}
