/** Counts new, ended and open dead letters for the digests of the evidence. */
import type { Sql } from "../storage/sql.ts";

export interface PeriodCounts {
  readonly parked: number;
  /** Replay messages that QStash accepted. */
  readonly replayed: number;
  readonly discarded: number;
  /** Open now, whatever the period. */
  readonly open: number;
}

/** Indexes serve those that were parked and those that are open; of the others, which have ended, each is read. */
const COUNTS = `SELECT
  (SELECT count(*) FROM dead_letters WHERE live IN (0, 1) AND parked_at >= ?1 AND parked_at < ?2) AS parked,
  (SELECT count(*) FROM items JOIN replays ON replays.seq = items.replay
    WHERE replays.created_at < ?2 AND (replays.finished_at IS NULL OR replays.finished_at >= ?1)
      AND items.published_at >= ?1 AND items.published_at < ?2) AS replayed,
  (SELECT count(*) FROM dead_letters WHERE live = 0 AND state = 'discarded' AND discarded ->> 'at' >= ?3 AND discarded ->> 'at' < ?4)
    AS discarded,
  (SELECT count(*) FROM dead_letters WHERE live = 1 AND state = 'open') AS open`;

/** Counts a period, from inclusive, until exclusive, in ms since the epoch. */
export function countPeriod(sql: Sql, fromMs: number, untilMs: number): PeriodCounts {
  const times = [fromMs, untilMs].map((ms) => new Date(ms).toISOString());
  const [counts] = sql.all<PeriodCounts>(COUNTS, fromMs, untilMs, ...times);
  return { parked: 0, replayed: 0, discarded: 0, open: 0, ...counts };
}
