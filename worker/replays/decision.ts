/** Whether a replay may send one dead letter, and what that risks. Pure. */
import { IDEMPOTENCY_SAFE_MS, IDEMPOTENCY_WINDOW_MS, LEDGER_RETENTION_MS } from "../../shared/limits.ts";
import type { DeadLetterSummary } from "../dead-letters/row.ts";
import type { Fate } from "../ledger/fates.ts";

export type SkipReason =
  | "delivered"
  | "in_replay"
  | "discarded"
  | "not_found"
  | "unreadable"
  | "needs_accept_duplicates"
  | "mend_needs_accept_duplicates"
  | "cancelled"
  | "not_accepted"
  | "changed_since_plan";

export type ReplayDecision =
  | {
      readonly kind: "send";
      readonly n: number;
      /** After this time (ms since the epoch) sending could create a second event; absent if it cannot, or if that was accepted. */
      readonly safeUntilMs?: number;
      readonly risk: boolean;
      readonly age: Age;
    }
  | { readonly kind: "skip"; readonly reason: SkipReason; readonly risk: boolean };

/** Counted from the first attempt, against WorkOS's window for idempotency keys. */
export type Age = "within_24h" | "beyond_24h" | "never_attempted";

interface Asked {
  readonly acceptDuplicates: boolean;
  /** The mend changes this record. */
  readonly mended: boolean;
}

export function decide(
  row: DeadLetterSummary | undefined,
  ledger: Fate | undefined,
  asked: Asked,
  nowMs: number,
): ReplayDecision {
  const reason = notReplayable(row, ledger);
  if (reason !== undefined || !row) return skip(reason ?? "not_found");
  const firstMs = ledger?.firstAttemptAtMs ?? row.first_attempt_at ?? undefined;
  const isMaybe = mayBeWritten(row, ledger, nowMs);
  const safeUntilMs = (firstMs ?? 0) + IDEMPOTENCY_SAFE_MS;
  // New bytes need a new key, and under a new key WorkOS cannot see that it already holds the event.
  const risk = isMaybe && (asked.mended || nowMs >= safeUntilMs);
  if (risk && !asked.acceptDuplicates)
    return skip(asked.mended ? "mend_needs_accept_duplicates" : "needs_accept_duplicates", true);
  return {
    kind: "send",
    n: Math.max(row.replays, ledger?.replays ?? 0) + 1,
    ...(isMaybe && !asked.acceptDuplicates ? { safeUntilMs } : {}),
    risk,
    age:
      firstMs === undefined
        ? "never_attempted"
        : nowMs >= firstMs + IDEMPOTENCY_WINDOW_MS
          ? "beyond_24h"
          : "within_24h",
  };
}

function notReplayable(row: DeadLetterSummary | undefined, ledger: Fate | undefined): SkipReason | undefined {
  if (!row) return ledger?.state === "delivered" ? "delivered" : "not_found";
  if (row.state === "delivered" || ledger?.state === "delivered") return "delivered";
  if (row.state === "discarded" || ledger?.state === "discarded") return "discarded";
  if (row.state === "replaying") return "in_replay";
  return row.class === "unreadable" ? "unreadable" : undefined;
}

/** The ledger knows best; a record that it may have forgotten counts as written. */
function mayBeWritten(row: DeadLetterSummary, ledger: Fate | undefined, nowMs: number): boolean {
  if (ledger) return ledger.wrote !== "no";
  return row.wrote === "maybe" || nowMs - (row.last_attempt_at ?? row.parked_at) >= LEDGER_RETENTION_MS;
}

function skip(reason: SkipReason, risk = false): ReplayDecision {
  return { kind: "skip", reason, risk };
}
