/**
 * Merges a reported failure into the entry of its event id. Pure. The same failure is reported up to three times (by the worker, by
 * QStash's callback and by the sweep), late and in any order; only a new failure may replace the known one.
 */
import type { AuditRecord } from "../../shared/record.ts";
import type { DeadLetterEntry } from "./entry.ts";
import { failureOf, type PastFailure, type DeadLetterRow } from "./row.ts";
import { stateAfter } from "./states.ts";

/** Earlier failures kept for one event id; the oldest are dropped. Our choice. */
const HISTORY_MAX = 20;

interface Merged {
  /** The row to write; undefined if nothing changes. */
  readonly row?: DeadLetterRow;
  /** True if the failure was not known yet. */
  readonly fresh: boolean;
}

/** Returns the row after a report; no row if nothing changes. */
export function merge(existing: DeadLetterRow | undefined, entry: DeadLetterEntry, nowMs: number): Merged {
  if (!existing) return { row: newRow(entry, nowMs), fresh: true };
  const generation = entry.record?.replay?.n ?? 0;
  const state = stateAfter(existing.state, "failed");
  if (!state || generation < existing.generation) return { fresh: false };
  return isFresh(existing, entry, generation)
    ? { row: { ...replaced(existing, entry, nowMs), state }, fresh: true }
    : { row: filled(existing, entry), fresh: false };
}

/** A later replay failed, or the worker rejected another message of the same event (someone used QStash's own retry). */
function isFresh(existing: DeadLetterRow, entry: DeadLetterEntry, generation: number): boolean {
  if (generation > existing.generation) return true;
  const otherMessage =
    entry.messageId !== undefined && existing.message_id !== null && entry.messageId !== existing.message_id;
  return entry.source === "worker" && otherMessage && existing.state === "open";
}

function newRow(entry: DeadLetterEntry, nowMs: number): DeadLetterRow {
  const { record } = entry;
  return {
    event_id: entry.eventId,
    state: "open",
    class: entry.class,
    wrote: entry.wrote,
    reason: entry.reason,
    status: entry.status ?? null,
    attempts: entry.attempts,
    first_attempt_at: entry.firstAttemptAtMs ?? null,
    last_attempt_at: entry.lastAttemptAtMs ?? null,
    parked_at: nowMs,
    source: entry.source,
    message_id: entry.messageId ?? null,
    generation: record?.replay?.n ?? 0,
    replays: record?.replay?.n ?? 0,
    replay_id: record?.replay?.id ?? null,
    ...recordColumns(record),
    dlq_id: entry.dlqId ?? null,
    accepted: 0,
    discarded: null,
    history: "[]",
    body: entry.body ?? null,
  };
}

/** The columns that come from the record. */
export function recordColumns(record: AuditRecord | undefined) {
  return {
    action: record?.action ?? null,
    organization: record?.organization ?? null,
    method: record?.method ?? null,
    route: record?.route ?? null,
    occurred_at: record?.occurredAtMs ?? null,
    imported: record?.replay?.imported ? JSON.stringify(record.replay.imported) : null,
    record: record ? JSON.stringify(record) : null,
  };
}

function replaced(existing: DeadLetterRow, entry: DeadLetterEntry, nowMs: number): DeadLetterRow {
  const history = [...(JSON.parse(existing.history) as PastFailure[]), failureOf(existing)].slice(-HISTORY_MAX);
  const fresh = newRow(entry, nowMs);
  return {
    ...fresh,
    // Once WorkOS may have written the event, that stays true, counted from the very first attempt.
    wrote: existing.wrote === "maybe" ? "maybe" : fresh.wrote,
    first_attempt_at: existing.first_attempt_at ?? fresh.first_attempt_at,
    replays: Math.max(existing.replays, fresh.replays),
    history: JSON.stringify(history),
  };
}

/** The same failure again: fills in missing fields, and prefers the record that saw the outcome. */
function filled(existing: DeadLetterRow, entry: DeadLetterEntry): DeadLetterRow {
  const known = existing.record === null ? undefined : (JSON.parse(existing.record) as AuditRecord);
  const better = entry.record && (!known || (known.stage !== "outcome" && entry.record.stage === "outcome"));
  return {
    ...existing,
    ...(better ? { ...recordColumns(entry.record), body: null } : {}),
    ...(better && existing.class === "unreadable" ? { class: entry.class, reason: entry.reason } : {}),
    wrote: existing.wrote === "maybe" || entry.wrote === "maybe" ? "maybe" : "no",
    status: existing.status ?? entry.status ?? null,
    attempts: Math.max(existing.attempts, entry.attempts),
    first_attempt_at: earliest(existing.first_attempt_at, entry.firstAttemptAtMs),
    last_attempt_at: Math.max(existing.last_attempt_at ?? 0, entry.lastAttemptAtMs ?? 0) || null,
    message_id: existing.message_id ?? entry.messageId ?? null,
    dlq_id: existing.dlq_id ?? entry.dlqId ?? null,
  };
}

function earliest(left: number | null, right: number | undefined): number | null {
  if (left === null) return right ?? null;
  return right === undefined ? left : Math.min(left, right);
}
