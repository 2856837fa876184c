/** Dead letters that a delivery itself creates. */
import type { AuditRecord } from "../../shared/record.ts";
import type { DeadLetterEntry } from "../dead-letters/entry.ts";
import { unreadableEntries } from "../dead-letters/unreadable.ts";
import type { Grant, LedgerAttempt } from "../ledger/types.ts";
import { decodeMessage } from "../message/decoded-message.ts";
import type { Delivery } from "./ports.ts";

type Origin = Pick<Delivery, "messageId">;

/** WorkOS definitely rejected it. */
export function refusedEntry(
  record: AuditRecord,
  grant: Extract<Grant, { kind: "send" }>,
  attempt: LedgerAttempt,
  origin: Origin,
): DeadLetterEntry {
  return {
    ...common(record, origin),
    class: "rejected",
    wrote: "no",
    reason: attempt.reason ?? "rejected",
    ...(attempt.status === undefined ? {} : { status: attempt.status }),
    attempts: grant.attempt,
    firstAttemptAtMs: Math.min(grant.firstAttemptAtMs, attempt.atMs),
    lastAttemptAtMs: attempt.atMs,
  };
}

/** WorkOS may hold it and has forgotten its key: only an operator may send it again. */
export function expiredEntry(
  record: AuditRecord,
  grant: Extract<Grant, { kind: "expired" }>,
  origin: Origin,
  nowMs: number,
): DeadLetterEntry {
  return {
    ...common(record, origin),
    class: "exhausted",
    wrote: "maybe",
    reason: "idempotency_window_over",
    attempts: grant.attempts,
    firstAttemptAtMs: grant.firstAttemptAtMs,
    lastAttemptAtMs: nowMs,
  };
}

/** It was never sent: no event can be made of it, or the queue does not accept it. */
export function unsentEntry(
  record: AuditRecord,
  deadLetterClass: DeadLetterEntry["class"],
  reason: string,
  origin: Origin,
  nowMs: number,
): DeadLetterEntry {
  const never = { class: deadLetterClass, wrote: "no", reason, attempts: 0, lastAttemptAtMs: nowMs } as const;
  return { ...common(record, origin), ...never };
}

/** A message that the queue will never accept: one dead letter for each record. */
export async function untakenEntries(body: Uint8Array, reason: string, nowMs: number): Promise<DeadLetterEntry[]> {
  const decoded = decodeMessage(body);
  const unreadable = await unreadableEntries(body, decoded, { source: "worker", attempts: 0 });
  if (decoded.kind !== "message") return unreadable;
  const readable = decoded.records.map((record) => unsentEntry(record, "exhausted", reason, {}, nowMs));
  return [...readable, ...unreadable];
}

function common({ corrects, ...record }: AuditRecord, { messageId }: Origin) {
  return {
    eventId: record.id,
    // A replay sends the record as the gateway made it, and detects again that it is late.
    record: corrects === undefined ? record : { ...record, id: corrects },
    source: "worker" as const,
    ...(messageId === undefined ? {} : { messageId }),
  };
}
