/**
 * Closes dead letters whose records were delivered after all. One event id can be on its way twice (by both paths, or as an intent
 * and its outcome): one message is given up while the other still arrives. The ledger then knows of a delivery that nobody reported
 * here.
 */
import type { Lookup } from "./failure.ts";
import type { Position } from "./query.ts";
import { considerRemovals, liveAfter, makeLate, moveDeadLetters, readNote, writeNote } from "./store.ts";
import type { Sql } from "../storage/sql.ts";

/** Open dead letters per lookup; with the cron every 5 minutes, 100,000 take four hours. Our choice. */
const STEP = 2_000;
const NOTE = "reconcile";
const START: Position = [0, ""];

/** Runs one step, oldest first, and starts over at the end; returns how many it closed. Skips dead letters that a replay holds. */
export async function reconcile(sql: Sql, lookup: Lookup, now: () => number): Promise<number> {
  const live = liveAfter(sql, (readNote(sql, NOTE) as Position | undefined) ?? START, STEP);
  const known = live.length > 0 ? await lookup(live.map(([, eventId]) => eventId)) : undefined;
  const entries = [...(known?.values() ?? [])];
  const delivered = entries.filter(({ state }) => state === "delivered").map(({ id }) => id);
  // An intent or a watchdog's record was delivered: that does not close a dead letter that holds the outcome.
  const untold = entries.filter(({ state, stage }) => state === "delivered" && stage !== "outcome").map(({ id }) => id);
  const last = live.length === STEP ? live.at(-1) : undefined;
  return sql.transaction(() => {
    writeNote(sql, NOTE, last ?? START);
    makeLate(sql, untold);
    const closed = moveDeadLetters(sql, "delivered", delivered);
    considerRemovals(sql, closed, now());
    return closed.length;
  });
}
