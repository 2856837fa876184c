/** The dead letters that a delivery itself makes. */
import type { AuditRecord } from "../../shared/record.ts";
import type { DeadLetterEntry } from "../archive/dead-letter.ts";
import type { Grant, LedgerAttempt } from "../ledger/types.ts";
import type { Decoded, UnreadableRecord } from "./decode.ts";
import type { Delivery } from "./ports.ts";

/** WorkOS said a definite no. */
export function refusedEntry(
  record: AuditRecord,
  grant: Extract<Grant, { kind: "send" }>,
  attempt: LedgerAttempt,
  delivery: Delivery,
): DeadLetterEntry {
  return {
    ...common(record, delivery),
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
  delivery: Delivery,
  nowMs: number,
): DeadLetterEntry {
  return {
    ...common(record, delivery),
    class: "exhausted",
    wrote: "maybe",
    reason: "idempotency_window_over",
    attempts: grant.attempts,
    firstAttemptAtMs: grant.firstAttemptAtMs,
    lastAttemptAtMs: nowMs,
  };
}

/** No event can be made of it. */
export function unpreparedEntry(
  record: AuditRecord,
  reason: string,
  delivery: Delivery,
  nowMs: number,
): DeadLetterEntry {
  return { ...common(record, delivery), class: "rejected", wrote: "no", reason, attempts: 0, lastAttemptAtMs: nowMs };
}

/** A record, or a whole message, that cannot be decoded: kept as bytes. */
export async function unreadableEntry(
  unreadable: Pick<UnreadableRecord, "id" | "reason">,
  body: Uint8Array,
  delivery: Delivery,
  nowMs: number,
): Promise<DeadLetterEntry> {
  return {
    eventId: unreadable.id ?? (await unreadableId(body)),
    class: "unreadable",
    wrote: "no",
    reason: `unreadable ${unreadable.reason}`,
    attempts: 0,
    lastAttemptAtMs: nowMs,
    body: base64(body),
    source: "worker",
    ...(delivery.messageId === undefined ? {} : { messageId: delivery.messageId }),
  };
}

/** A message that the queue will never take, one dead letter for each record. */
export async function undeliverableEntries(
  decoded: Decoded,
  body: Uint8Array,
  reason: string,
  nowMs: number,
): Promise<DeadLetterEntry[]> {
  const unread = { lease: "", retried: 0 };
  if (decoded.kind !== "message") return [await unreadableEntry({ reason }, body, unread, nowMs)];
  const unreadable = decoded.unreadable.map((record) =>
    unreadableEntry(record, new TextEncoder().encode(record.message), unread, nowMs),
  );
  const readable = decoded.records.map((record): DeadLetterEntry => ({
    ...common(record, unread),
    class: "exhausted",
    wrote: "no",
    reason,
    attempts: 0,
    lastAttemptAtMs: nowMs,
  }));
  return [...readable, ...(await Promise.all(unreadable))];
}

function common(record: AuditRecord, { messageId }: Delivery) {
  return {
    eventId: record.id,
    record,
    source: "worker" as const,
    ...(messageId === undefined ? {} : { messageId }),
  };
}

/** The id of a message without a readable one: the same bytes make the same id. */
async function unreadableId(body: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  const hex = Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `unreadable-${hex}`;
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
