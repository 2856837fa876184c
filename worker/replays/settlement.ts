/** Asks the ledger for the results of published records, and stops a replay whose records fail. */
import type { Lookup } from "../dead-letters/failure.ts";
import type { LedgerEntry } from "../ledger/types.ts";
import { FIRST_CHECK_MS, itemEnded, itemTroubled } from "./items.ts";
import { replayBySeq, requestOf, setState } from "./store.ts";
import type { Sql } from "../storage/sql.ts";

/** Records per lookup. Our choice. */
const CHECK_MAX = 2_000;
const CHECK_EVERY_MAX_MS = 600_000;
/**
 * Time after publishing at which a record without a result becomes a dead letter again; the ledger prevents a second delivery. Our
 * choice.
 */
const GIVE_UP_MS = 7 * 86_400_000;
/** Records needed to judge an error rate; a smaller replay is judged at its end. Our choice. */
const JUDGED_MIN = 20;

interface Due {
  readonly replay: number;
  readonly event_id: string;
  readonly published_at: number;
  readonly troubled: 0 | 1;
}

/** Settles one portion of the due records. */
export async function settleDue(sql: Sql, lookup: Lookup, now: () => number): Promise<void> {
  const due = sql.all<Due>(
    `SELECT replay, event_id, published_at, troubled FROM items
     WHERE outcome = 'published' AND check_at <= ? ORDER BY check_at LIMIT ?`,
    now(),
    CHECK_MAX,
  );
  if (due.length === 0) return;
  const ledger = await lookup(due.map((item) => item.event_id));
  sql.transaction(() => {
    const nowMs = now();
    for (const item of due) settleOne(sql, item, ledger.get(item.event_id), nowMs);
    for (const seq of new Set(due.map((item) => item.replay))) judge(sql, seq);
  });
}

function settleOne(sql: Sql, item: Due, ledger: LedgerEntry | undefined, nowMs: number): void {
  const { replay, event_id } = item;
  if (ledger?.state === "delivered")
    return itemEnded(sql, replay, event_id, { outcome: "delivered", event: "replay_delivered" }, nowMs);
  if (ledger?.state === "discarded") {
    return itemEnded(
      sql,
      replay,
      event_id,
      { outcome: "failed_again", reason: "discarded", event: "replay_discarded" },
      nowMs,
    );
  }
  const ageMs = nowMs - item.published_at;
  if (ageMs >= GIVE_UP_MS) {
    return itemEnded(
      sql,
      replay,
      event_id,
      { outcome: "failed_again", reason: "no_outcome", event: "released" },
      nowMs,
    );
  }
  const last = ledger?.attempts.at(-1);
  if (item.troubled === 0 && last && last.atMs >= item.published_at) itemTroubled(sql, replay, event_id);
  const checkMs = nowMs + Math.min(Math.max(ageMs, FIRST_CHECK_MS), CHECK_EVERY_MAX_MS);
  sql.all(
    "UPDATE items SET check_at = ? WHERE replay = ? AND event_id = ? AND outcome = 'published'",
    checkMs,
    replay,
    event_id,
  );
}

/** Stops a running replay once too many of its records have ended badly or failed an attempt, counted since its last resume. */
export function judge(sql: Sql, seq: number): void {
  const replay = replayBySeq(sql, seq);
  if (replay?.state !== "running") return;
  const { stopOnErrorRate } = requestOf(replay);
  if (stopOnErrorRate === undefined) return;
  const failed = replay.failed_again + replay.troubled - replay.judged_failed;
  const seen = replay.delivered + replay.failed_again + replay.troubled - replay.judged_seen;
  const enough = Math.min(JUDGED_MIN, replay.total - replay.skipped - replay.judged_seen);
  if (seen > 0 && seen >= enough && failed / seen > stopOnErrorRate) setState(sql, seq, "stopped");
}
