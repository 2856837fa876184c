/** What becomes of the items of a replay; each change keeps the replay's counts and the dead letter in step. */
import type { FailedReplay } from "../archive/park.ts";
import { considerRemovals } from "../archive/removals.ts";
import { read } from "../archive/row.ts";
import type { SkipReason } from "./decide.ts";

/** First look at the ledger after publishing; later ones come at twice the age of the message. Our choice. */
export const FIRST_CHECK_MS = 1_000;

interface Known {
  readonly outcome: string;
  readonly troubled: 0 | 1;
  readonly replay_id: string;
}

function known(sql: SqlStorage, seq: number, eventId: string): Known | undefined {
  const query = `SELECT outcome, items.troubled, replays.id AS replay_id FROM items JOIN replays ON replays.seq = items.replay
                 WHERE replay = ? AND event_id = ?`;
  return read<Known>(sql, query, seq, eventId)[0];
}

/** QStash has taken the message. One whose record has failed meanwhile keeps that outcome. */
export function itemPublished(sql: SqlStorage, seq: number, eventId: string, messageId: string, nowMs: number): void {
  sql.exec(
    "UPDATE items SET message_id = ?, published_at = ? WHERE replay = ? AND event_id = ?",
    messageId,
    nowMs,
    seq,
    eventId,
  );
  if (known(sql, seq, eventId)?.outcome !== "pending") return;
  sql.exec(
    "UPDATE items SET outcome = 'published', check_at = ? WHERE replay = ? AND event_id = ?",
    nowMs + FIRST_CHECK_MS,
    seq,
    eventId,
  );
  sql.exec("UPDATE replays SET published = published + 1 WHERE seq = ?", seq);
  sql.exec("UPDATE dead_letters SET accepted = 1 WHERE event_id = ? AND state = 'replaying'", eventId);
  considerRemovals(sql, [eventId], nowMs);
}

/** The record was delivered or has failed again; a pending one was taken by QStash faster than its answer came back. */
export function itemEnded(
  sql: SqlStorage,
  seq: number,
  eventId: string,
  end: {
    readonly outcome: "delivered" | "failed_again";
    readonly reason?: string;
    readonly state: "open" | "delivered" | "discarded";
  },
  nowMs: number,
): void {
  const item = known(sql, seq, eventId);
  if (item?.outcome !== "published" && item?.outcome !== "pending") return;
  sql.exec(
    "UPDATE items SET outcome = ?, reason = ?, ended_at = ?, check_at = NULL, troubled = 0 WHERE replay = ? AND event_id = ?",
    end.outcome,
    end.reason ?? null,
    nowMs,
    seq,
    eventId,
  );
  sql.exec(
    `UPDATE replays SET ${end.outcome} = ${end.outcome} + 1, published = published + ?, troubled = troubled - ? WHERE seq = ?`,
    item.outcome === "pending" ? 1 : 0,
    item.troubled,
    seq,
  );
  leave(sql, eventId, item.replay_id, end.state);
  if (end.state === "delivered") considerRemovals(sql, [eventId], nowMs);
}

/** It will not be sent after all; the dead letter is open again. */
export function itemSkipped(sql: SqlStorage, seq: number, eventId: string, reason: SkipReason, nowMs: number): void {
  const item = known(sql, seq, eventId);
  if (item?.outcome !== "pending") return;
  sql.exec(
    "UPDATE items SET outcome = 'skipped', reason = ?, ended_at = ? WHERE replay = ? AND event_id = ?",
    reason,
    nowMs,
    seq,
    eventId,
  );
  sql.exec("UPDATE replays SET skipped = skipped + 1 WHERE seq = ?", seq);
  leave(sql, eventId, item.replay_id, "open");
}

/** A published record has failed an attempt and waits for its next one. */
export function itemTroubled(sql: SqlStorage, seq: number, eventId: string): void {
  sql.exec("UPDATE items SET troubled = 1 WHERE replay = ? AND event_id = ?", seq, eventId);
  sql.exec("UPDATE replays SET troubled = troubled + 1 WHERE seq = ?", seq);
}

function leave(sql: SqlStorage, eventId: string, replayId: string, state: string): void {
  sql.exec(
    "UPDATE dead_letters SET state = ? WHERE event_id = ? AND state = 'replaying' AND replay_id = ?",
    state,
    eventId,
    replayId,
  );
}

/** Records that a replay sent and that are dead letters again. Answers the replays concerned. */
export function failReplayed(sql: SqlStorage, failed: readonly FailedReplay[], nowMs: number): ReadonlySet<number> {
  const concerned = new Set<number>();
  for (const { eventId, mark, reason } of failed) {
    const [replay] = read<{ seq: number }>(sql, "SELECT seq FROM replays WHERE id = ?", mark.id);
    if (!replay) continue;
    itemEnded(sql, replay.seq, eventId, { outcome: "failed_again", reason, state: "open" }, nowMs);
    concerned.add(replay.seq);
  }
  return concerned;
}
