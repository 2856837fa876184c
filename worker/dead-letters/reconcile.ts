/**
 * Closes dead letters whose records were delivered after all. One event id can be on its way twice (by both paths, or as an intent and
 * its outcome), so that one message is given up while the other still arrives: then the ledger knows of a delivery that the archive
 * has not heard of.
 */
import type { Lookup } from "./failure.ts";
import { considerRemovals } from "./removals.ts";
import type { Sql } from "../storage/sql.ts";

/** Open dead letters looked up at a time; with the cron every 5 minutes 100,000 take four hours. Our choice. */
const STEP = 2_000;
const NOTE = "reconcile";

/** One step, oldest first and round again; answers how many were closed. */
export async function reconcile(sql: Sql, lookup: Lookup, now: () => number): Promise<number> {
  const open = sql.all<{ parked_at: number; event_id: string }>(
    `SELECT parked_at, event_id FROM dead_letters WHERE live = 1 AND (parked_at, event_id) > (?, ?)
     ORDER BY parked_at, event_id LIMIT ?`,
    ...position(sql),
    STEP,
  );
  const known = open.length > 0 ? await lookup(open.map((row) => row.event_id)) : undefined;
  const delivered = [...(known?.values() ?? [])].filter(({ state }) => state === "delivered").map(({ id }) => id);
  const last = open.length === STEP ? open.at(-1) : undefined;
  return sql.transaction(() => {
    sql.all(
      "INSERT OR REPLACE INTO notes (name, value) VALUES (?, ?)",
      NOTE,
      JSON.stringify(last ? [last.parked_at, last.event_id] : []),
    );
    // What is being replayed is left to its replay.
    const closed = sql
      .all<{ event_id: string }>(
        `UPDATE dead_letters SET state = 'delivered'
       WHERE state = 'open' AND event_id IN (SELECT value FROM json_each(?)) RETURNING event_id`,
        JSON.stringify(delivered),
      )
      .map((row) => row.event_id);
    considerRemovals(sql, closed, now());
    return closed.length;
  });
}

function position(sql: Sql): [parkedAt: number, eventId: string] {
  const [note] = sql.all<{ value: string }>("SELECT value FROM notes WHERE name = ?", NOTE);
  const [parkedAt = 0, eventId = ""] = JSON.parse(note?.value ?? "[]") as [number?, string?];
  return [parkedAt, eventId];
}
