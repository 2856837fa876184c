/**
 * All SQL on the tables of the dead letters: `dead_letters`, `links`, `sightings`, `removals` and `notes`. Every value is bound,
 * never concatenated. The state changes only in `moveDeadLetters`, `takeDeadLetters` and whole rows, by the table in `states.ts`.
 */
import { lateOutcomeId } from "../../shared/event-id.ts";
import type { DeadLetterGroup } from "../../shared/dead-letter.ts";
import type { RequestSearch, SequenceRun } from "../ledger/types.ts";
import type { Sql } from "../storage/sql.ts";
import { pageOf, type Group, type Page, type Position, type Where } from "./query.ts";
import { COLUMNS, SUMMARY_COLUMNS, type DeadLetterRow, type DeadLetterSummary } from "./row.ts";
import { TRANSITIONS, type DeadLetterEvent } from "./states.ts";

/** Most groups in one answer. Our choice. */
const GROUPS_MAX = 500;
/** Most ids in one removal request. QStash's documented page size. https://upstash.com/docs/qstash/api/dlq/deleteMessages */
const REMOVALS_MAX = 100;
/** Failed tries after which a removal is given up; QStash drops the entry itself in time. Our choice. */
const TRIES_MAX = 10;

const COLUMN_LIST = COLUMNS.join(", ");
const INSERT = `INSERT OR REPLACE INTO dead_letters (${COLUMN_LIST}) VALUES (${COLUMNS.map(() => "?").join(", ")})`;
const AMONG = "IN (SELECT value FROM json_each(?))";

/** Returns the whole row of an event id. */
export function readRow(sql: Sql, eventId: string): DeadLetterRow | undefined {
  return sql.all<DeadLetterRow>(`SELECT ${COLUMN_LIST} FROM dead_letters WHERE event_id = ?`, eventId)[0];
}

/** Writes a whole row; replaces the one with the same event id. */
export function writeRow(sql: Sql, row: DeadLetterRow): void {
  sql.all(INSERT, ...COLUMNS.map((name) => row[name]));
}

/**
 * Moves the open dead letters among `eventIds` that hold an outcome to the event id of a late outcome, because an intent or a
 * watchdog's record was delivered under the original one.
 */
export function makeLate(sql: Sql, eventIds: readonly string[]): void {
  const open = sql.all<{ event_id: string }>(
    `SELECT event_id FROM dead_letters WHERE event_id IN (SELECT value FROM json_each(?)) AND state = 'open'
       AND record ->> 'stage' = 'outcome'`,
    JSON.stringify(eventIds),
  );
  for (const { event_id: id } of open) {
    const late = lateOutcomeId(id);
    sql.all("UPDATE OR IGNORE dead_letters SET event_id = ? WHERE event_id = ?", late, id);
    sql.all("UPDATE OR IGNORE links SET event_id = ? WHERE event_id = ?", late, id);
  }
}

/**
 * Applies an event to dead letters, each in its own state. With `replayId`, only to those that this replay has taken. Returns the
 * ids that it changed.
 */
export function moveDeadLetters(
  sql: Sql,
  event: DeadLetterEvent,
  eventIds: readonly string[],
  replayId: string | null = null,
): string[] {
  const pairs = JSON.stringify(Object.entries(TRANSITIONS[event]));
  const query = `UPDATE dead_letters SET state = next.value ->> 1 FROM json_each(?1) AS next
    WHERE state = next.value ->> 0 AND event_id IN (SELECT value FROM json_each(?2)) AND (?3 IS NULL OR replay_id = ?3)
    RETURNING event_id`;
  return sql.all<{ event_id: string }>(query, pairs, JSON.stringify(eventIds), replayId).map((row) => row.event_id);
}

/** Assigns dead letters to a replay, each with its replay number. One statement for all; one per row is several times slower. */
export function takeDeadLetters(
  sql: Sql,
  replayId: string,
  taken: readonly (readonly [id: string, n: number])[],
): void {
  const [from, to] = Object.entries(TRANSITIONS.taken)[0] ?? [];
  const query = `UPDATE dead_letters SET state = ?, replay_id = ?, accepted = 0, replays = taken.value ->> 1
    FROM json_each(?) AS taken WHERE event_id = taken.value ->> 0 AND state = ?`;
  sql.all(query, to ?? null, replayId, JSON.stringify(taken), from ?? null);
}

/** Releases everything that a replay has taken. */
export function releaseReplay(sql: Sql, replayId: string): void {
  const query = "SELECT event_id FROM dead_letters WHERE state = 'replaying' AND replay_id = ?";
  const held = sql.all<{ event_id: string }>(query, replayId).map((row) => row.event_id);
  moveDeadLetters(sql, "released", held, replayId);
}

/** Notes that QStash has accepted the message of the current replay. */
export function acceptDeadLetter(sql: Sql, eventId: string): void {
  sql.all("UPDATE dead_letters SET accepted = 1 WHERE event_id = ? AND state = 'replaying'", eventId);
}

/** Removes an open dead letter whose records now have entries under their own event ids. */
export function removeOpen(sql: Sql, eventId: string): void {
  sql.all("DELETE FROM dead_letters WHERE event_id = ? AND state = 'open'", eventId);
  sql.all("DELETE FROM links WHERE event_id = ?", eventId);
}

/** Returns the dead letters of these event ids, with their records if wanted. */
export function readSummaries(
  sql: Sql,
  eventIds: readonly string[],
  withRecord: boolean,
): Map<string, DeadLetterSummary & { readonly record?: string | null }> {
  const columns = withRecord ? `${SUMMARY_COLUMNS}, record` : SUMMARY_COLUMNS;
  const rows = sql.all<DeadLetterSummary & { readonly record?: string | null }>(
    `SELECT ${columns} FROM dead_letters WHERE event_id ${AMONG}`,
    JSON.stringify(eventIds),
  );
  return new Map(rows.map((row) => [row.event_id, row]));
}

/** Returns a page without records and histories, newest first. */
export function page(sql: Sql, where: Where, limit: number, after: Position | undefined): Page<DeadLetterSummary> {
  return pageOf(select<DeadLetterSummary>(sql, SUMMARY_COLUMNS, where, limit, after), limit);
}

/** Returns a page of whole rows, cut short before it exceeds what an RPC carries. */
export function wholePage(sql: Sql, where: Where, limit: number, after: Position | undefined): Page<DeadLetterRow> {
  return pageOf(select<DeadLetterRow>(sql, COLUMN_LIST, where, limit, after), limit, ({ record, body, history }) => {
    return (record ?? "").length + (body ?? "").length + history.length;
  });
}

function select<T>(sql: Sql, columns: string, where: Where, limit: number, after: Position | undefined): Iterable<T> {
  const keyset = after ? " AND (parked_at, event_id) < (?, ?)" : "";
  const query = `SELECT ${columns} FROM dead_letters WHERE ${where.text}${keyset}
    ORDER BY parked_at DESC, event_id DESC LIMIT ?`;
  // One more than the limit shows whether there is a next page.
  return sql.each<T>(query, ...where.values, ...(after ?? []), limit + 1);
}

/** Returns event ids in order, after a given one. */
export function idsAfter(sql: Sql, where: Where, after: string, limit: number): string[] {
  const query = `SELECT event_id FROM dead_letters WHERE ${where.text} AND event_id > ? ORDER BY event_id LIMIT ?`;
  return sql.all<{ event_id: string }>(query, ...where.values, after, limit).map((row) => row.event_id);
}

/** Returns the event ids of a request id in a period. */
export function idsOfRequest(sql: Sql, { requestId, sinceMs, untilMs, afterId, limit }: RequestSearch): string[] {
  const query = `SELECT event_id FROM dead_letters
    WHERE occurred_at >= ? AND occurred_at < ? AND record ->> 'requestId' = ? AND event_id > ? ORDER BY event_id LIMIT ?`;
  return sql.all<{ event_id: string }>(query, sinceMs, untilMs, requestId, afterId, limit).map((row) => row.event_id);
}

/** Counts by one column, largest first, and returns the total. */
export function groups(sql: Sql, where: Where, by: DeadLetterGroup): { groups: Group[]; total: number } {
  const counted = sql.all<Group>(
    `SELECT ${by} AS value, count(*) AS count, min(parked_at) AS oldest, max(parked_at) AS newest
     FROM dead_letters WHERE ${where.text} GROUP BY ${by} ORDER BY count DESC, value`,
    ...where.values,
  );
  return { groups: counted.slice(0, GROUPS_MAX), total: counted.reduce((sum, group) => sum + group.count, 0) };
}

/** Returns the oldest dead letters that are open or in a replay, after a position. */
export function liveAfter(sql: Sql, after: Position, limit: number): Position[] {
  const query = `SELECT parked_at, event_id FROM dead_letters WHERE live = 1 AND (parked_at, event_id) > (?, ?)
    ORDER BY parked_at, event_id LIMIT ?`;
  const rows = sql.all<{ parked_at: number; event_id: string }>(query, ...after, limit);
  return rows.map(({ parked_at, event_id }) => [parked_at, event_id]);
}

/** Returns unreadable dead letters in the order of their event ids. */
export function unreadableAfter(sql: Sql, after: string, limit: number): DeadLetterRow[] {
  // The plus signs keep SQLite from reading all classes in this order: the unreadable are few.
  const query = `SELECT ${COLUMN_LIST} FROM dead_letters
    WHERE live = 1 AND class = 'unreadable' AND +event_id > ? ORDER BY +event_id LIMIT ?`;
  return sql.all<DeadLetterRow>(query, after, limit);
}

/** Returns one run for each record that a gateway isolate counted; reads every record of the period. */
export function readSequences(sql: Sql, sinceMs: number, untilMs: number): SequenceRun[] {
  const query = `SELECT record ->> '$.gateway.isolateId' AS isolate, record ->> '$.sequence' AS sequence FROM dead_letters
    WHERE occurred_at >= ? AND occurred_at < ? AND imported IS NULL AND record ->> '$.sequence' > 0`;
  return sql
    .all<{ isolate: string; sequence: number }>(query, sinceMs, untilMs)
    .map(({ isolate, sequence }) => ({ isolate, first: sequence, last: sequence }));
}

/** Returns how many records of a period were imported, whatever their state. */
export function countImported(sql: Sql, sinceMs: number, untilMs: number): number {
  const query = `SELECT count(*) AS count FROM dead_letters
    WHERE occurred_at >= ? AND occurred_at < ? AND imported IS NOT NULL`;
  return sql.all<{ count: number }>(query, sinceMs, untilMs)[0]?.count ?? 0;
}

/** Removes dead letters last attempted before a time, except those in a replay. Returns how many, at most `limit`. */
export function removeOld(sql: Sql, beforeMs: number, limit: number): number {
  const old = sql.all<{ event_id: string }>(
    `DELETE FROM dead_letters WHERE event_id IN (
       SELECT event_id FROM dead_letters
       WHERE coalesce(last_attempt_at, parked_at) < ? AND state <> 'replaying' LIMIT ?) RETURNING event_id`,
    beforeMs,
    limit,
  );
  sql.all(`DELETE FROM links WHERE event_id ${AMONG}`, JSON.stringify(old.map(({ event_id }) => event_id)));
  sql.all("DELETE FROM sightings WHERE seen_at < ?", beforeMs);
  return old.length;
}

/** Notes which entry of QStash's dead-letter queue holds an event id. */
export function linkEntry(sql: Sql, eventId: string, dlqId: string): void {
  sql.all("INSERT OR IGNORE INTO links (event_id, dlq_id) VALUES (?, ?)", eventId, dlqId);
}

/**
 * Queues the removal of each entry of QStash's queue that these event ids no longer need, because all its records are back at
 * QStash or delivered. A discard alone removes nothing: it only means that nobody needs to handle it here.
 */
export function considerRemovals(sql: Sql, eventIds: readonly string[], nowMs: number): void {
  sql.all(
    `INSERT OR IGNORE INTO removals (dlq_id, tries, due_at)
     SELECT links.dlq_id, 0, ? FROM links JOIN dead_letters USING (event_id)
     WHERE links.dlq_id IN (SELECT dlq_id FROM links WHERE event_id ${AMONG})
     GROUP BY links.dlq_id
     HAVING sum(state = 'open' OR (state = 'replaying' AND accepted = 0)) = 0
        AND sum(state = 'delivered' OR (state = 'replaying' AND accepted = 1)) > 0`,
    nowMs,
    JSON.stringify(eventIds),
  );
}

/** Returns ids that are due for removal, at most one request's worth. */
export function dueRemovals(sql: Sql, nowMs: number): string[] {
  const query = "SELECT dlq_id FROM removals WHERE due_at <= ? LIMIT ?";
  return sql.all<{ dlq_id: string }>(query, nowMs, REMOVALS_MAX).map((row) => row.dlq_id);
}

/** Returns when the next removal is due, or null if there is none. */
export function nextRemovalMs(sql: Sql): number | null {
  return sql.all<{ at: number | null }>("SELECT min(due_at) AS at FROM removals")[0]?.at ?? null;
}

/** Forgets removals that QStash has confirmed. */
export function removed(sql: Sql, dlqIds: readonly string[]): void {
  const ids = JSON.stringify(dlqIds);
  sql.all(`DELETE FROM removals WHERE dlq_id ${AMONG}`, ids);
  sql.all(`DELETE FROM links WHERE dlq_id ${AMONG}`, ids);
}

/** Schedules unconfirmed removals for another try, and finally gives them up. */
export function removalFailed(sql: Sql, dlqIds: readonly string[], retryAtMs: number): void {
  const query = `UPDATE removals SET tries = tries + 1, due_at = ? WHERE dlq_id ${AMONG}`;
  sql.all(query, retryAtMs, JSON.stringify(dlqIds));
  sql.all("DELETE FROM removals WHERE tries >= ?", TRIES_MAX);
}

/** Marks entries of QStash's queue as read. */
export function markSeen(sql: Sql, dlqIds: readonly string[], nowMs: number): void {
  const ids = JSON.stringify(dlqIds);
  sql.all("INSERT OR IGNORE INTO sightings (dlq_id, seen_at) SELECT value, ? FROM json_each(?)", nowMs, ids);
}

/** Returns the ids that have not been read yet. */
export function unseen(sql: Sql, dlqIds: readonly string[]): string[] {
  const query = "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT dlq_id FROM sightings)";
  return sql.all<{ value: string }>(query, JSON.stringify(dlqIds)).map((row) => row.value);
}

/** Returns the note with this name, parsed. */
export function readNote(sql: Sql, name: string): unknown {
  const [note] = sql.all<{ value: string }>("SELECT value FROM notes WHERE name = ?", name);
  return note && (JSON.parse(note.value) as unknown);
}

/** Stores a note under a name. */
export function writeNote(sql: Sql, name: string, value: unknown): void {
  sql.all("INSERT OR REPLACE INTO notes (name, value) VALUES (?, ?)", name, JSON.stringify(value));
}
