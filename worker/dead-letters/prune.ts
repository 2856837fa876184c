/** Forgets dead letters after their retention; counted from the last attempt, as the ledger counts, so that the ledger knows longer. */
import { DEAD_LETTER_RETENTION_MS } from "../../shared/limits.ts";
import type { Sql } from "../storage/sql.ts";

/** Rows in one step. Our choice. */
const SLICE = 5_000;

/** Removes one slice; true where more may remain. What is being replayed stays until that has ended. */
export function pruneDeadLetters(sql: Sql, nowMs: number): boolean {
  const before = nowMs - DEAD_LETTER_RETENTION_MS;
  const old = sql.all<{ event_id: string }>(
    `DELETE FROM dead_letters WHERE event_id IN (
       SELECT event_id FROM dead_letters
       WHERE coalesce(last_attempt_at, parked_at) < ? AND state <> 'replaying' LIMIT ?) RETURNING event_id`,
    before,
    SLICE,
  );
  sql.all(
    "DELETE FROM links WHERE event_id IN (SELECT value FROM json_each(?))",
    JSON.stringify(old.map(({ event_id }) => event_id)),
  );
  sql.all("DELETE FROM sightings WHERE seen_at < ?", before);
  return old.length === SLICE;
}
