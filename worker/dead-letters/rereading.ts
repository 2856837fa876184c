/**
 * Reads unreadable dead letters again. After a deployment, this worker may read what the previous release could not, such as a
 * newer message version. Readable ones become ordinary dead letters, which can be replayed.
 */
import { fromBase64 } from "../../shared/bytes.ts";
import { decodeMessage } from "../message/decoded-message.ts";
import type { DeadLetterEntry } from "./entry.ts";
import { parkEntries } from "./parked-entries.ts";
import type { DeadLetterRow } from "./row.ts";
import { removeOpen, unreadableAfter } from "./store.ts";
import { unreadableEntries } from "./unreadable.ts";
import type { Sql } from "../storage/sql.ts";

/** Entries per step. Our choice. */
const STEP = 200;

/** Reads one step, in the order of event ids; returns where to continue, or undefined at the end. */
export async function rereadUnreadable(sql: Sql, after: string, nowMs: number): Promise<string | undefined> {
  const rows = unreadableAfter(sql, after, STEP);
  for (const row of rows) {
    const entries = await readAgain(row);
    if (entries.length > 0) sql.transaction(() => replace(sql, row, entries, nowMs));
  }
  return rows.length === STEP ? rows.at(-1)?.event_id : undefined;
}

/** Empty if it is still unreadable. */
async function readAgain(row: DeadLetterRow): Promise<DeadLetterEntry[]> {
  const body = row.body === null ? undefined : fromBase64(row.body);
  const decoded = body && decodeMessage(body);
  if (!body || decoded?.kind !== "message" || decoded.records.length === 0) return [];
  const origin = {
    source: row.source === "import" ? ("worker" as const) : row.source,
    attempts: row.attempts,
    ...(row.message_id === null ? {} : { messageId: row.message_id }),
    ...(row.dlq_id === null ? {} : { dlqId: row.dlq_id }),
  };
  const readable = decoded.records.map((record) =>
    Object.assign({ ...READABLE, ...origin }, { eventId: record.id, record }),
  );
  return [...readable, ...(await unreadableEntries(body, decoded, origin))];
}

/** Nothing of it was ever sent, because it was unreadable. */
const READABLE = { class: "exhausted", wrote: "no", reason: "unreadable until now" } as const;

function replace(sql: Sql, row: DeadLetterRow, entries: readonly DeadLetterEntry[], nowMs: number): void {
  // An id made from the bytes names no event; the records inside have ids of their own.
  if (!entries.some((entry) => entry.eventId === row.event_id)) removeOpen(sql, row.event_id);
  parkEntries(sql, entries, nowMs);
}
