/**
 * Which entries of QStash's own dead-letter queue may go: those whose records are all with QStash again (a replay's message was
 * accepted) or delivered. A discard alone removes nothing: the operator only said that nobody needs to look at it here.
 */

import type { Sql } from "../storage/sql.ts";

/** Most ids in one removal request. QStash's documented page size. https://upstash.com/docs/qstash/api/dlq/deleteMessages */
const REMOVALS_MAX = 100;
/** A removal that keeps failing is given up after this; QStash drops the entry itself in time. Our choice. */
const TRIES_MAX = 10;

/** Queues the removal of each entry of QStash's queue that `eventIds` no longer need. */
export function considerRemovals(sql: Sql, eventIds: readonly string[], nowMs: number): void {
  sql.all(
    `INSERT OR IGNORE INTO removals (dlq_id, tries, due_at)
     SELECT links.dlq_id, 0, ? FROM links JOIN dead_letters USING (event_id)
     WHERE links.dlq_id IN (SELECT dlq_id FROM links WHERE event_id IN (SELECT value FROM json_each(?)))
     GROUP BY links.dlq_id
     HAVING sum(state = 'open' OR (state = 'replaying' AND accepted = 0)) = 0
        AND sum(state = 'delivered' OR (state = 'replaying' AND accepted = 1)) > 0`,
    nowMs,
    JSON.stringify(eventIds),
  );
}

/** Ids whose removal is due, at most one request's worth. */
export function dueRemovals(sql: Sql, nowMs: number): string[] {
  return sql
    .all<{ dlq_id: string }>("SELECT dlq_id FROM removals WHERE due_at <= ? LIMIT ?", nowMs, REMOVALS_MAX)
    .map((row) => row.dlq_id);
}

/** QStash has confirmed that these are gone. */
export function removed(sql: Sql, dlqIds: readonly string[]): void {
  const ids = JSON.stringify(dlqIds);
  sql.all("DELETE FROM removals WHERE dlq_id IN (SELECT value FROM json_each(?))", ids);
  sql.all("DELETE FROM links WHERE dlq_id IN (SELECT value FROM json_each(?))", ids);
}

/** QStash has not confirmed; tried again later, and given up in the end. */
export function removalFailed(sql: Sql, dlqIds: readonly string[], retryAtMs: number): void {
  const ids = JSON.stringify(dlqIds);
  sql.all(
    "UPDATE removals SET tries = tries + 1, due_at = ? WHERE dlq_id IN (SELECT value FROM json_each(?))",
    retryAtMs,
    ids,
  );
  sql.all("DELETE FROM removals WHERE tries >= ?", TRIES_MAX);
}

/** Remembers that entries of QStash's queue were looked at. */
export function sighted(sql: Sql, dlqIds: readonly string[], nowMs: number): void {
  const ids = JSON.stringify(dlqIds);
  sql.all("INSERT OR IGNORE INTO sightings (dlq_id, seen_at) SELECT value, ? FROM json_each(?)", nowMs, ids);
}

/** Those of `dlqIds` that were not looked at yet. */
export function unsighted(sql: Sql, dlqIds: readonly string[]): string[] {
  const ids = JSON.stringify(dlqIds);
  return sql
    .all<{ value: string }>("SELECT value FROM json_each(?) WHERE value NOT IN (SELECT dlq_id FROM sightings)", ids)
    .map((row) => row.value);
}
