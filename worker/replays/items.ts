/** The items of a replay; each change updates the replay's counts and the dead letter together. */
import type { FailedReplay } from "../dead-letters/parked-entries.ts";
import type { DeadLetterEvent } from "../dead-letters/states.ts";
import { acceptDeadLetter, considerRemovals, moveDeadLetters } from "../dead-letters/store.ts";
import type { SkipReason } from "./decision.ts";
import type { Sql } from "../storage/sql.ts";

/** First ledger lookup after publishing; each later one when the message is twice as old. Our choice. */
export const FIRST_CHECK_MS = 1_000;

interface Known {
  readonly outcome: string;
  readonly troubled: 0 | 1;
  readonly replay_id: string;
}

function known(sql: Sql, seq: number, eventId: string): Known | undefined {
  const query = `SELECT outcome, items.troubled, replays.id AS replay_id FROM items JOIN replays ON replays.seq = items.replay
                 WHERE replay = ? AND event_id = ?`;
  return sql.all<Known>(query, seq, eventId)[0];
}

/** QStash has accepted the message. If the record has failed in the meantime, it keeps that outcome. */
export function itemPublished(sql: Sql, seq: number, eventId: string, messageId: string, nowMs: number): void {
  sql.all(
    "UPDATE items SET message_id = ?, published_at = ? WHERE replay = ? AND event_id = ?",
    messageId,
    nowMs,
    seq,
    eventId,
  );
  if (known(sql, seq, eventId)?.outcome !== "pending") return;
  sql.all(
    "UPDATE items SET outcome = 'published', check_at = ? WHERE replay = ? AND event_id = ?",
    nowMs + FIRST_CHECK_MS,
    seq,
    eventId,
  );
  sql.all("UPDATE replays SET published = published + 1 WHERE seq = ?", seq);
  acceptDeadLetter(sql, eventId);
  considerRemovals(sql, [eventId], nowMs);
}

/** The record was delivered or has failed again. If it is still pending, QStash delivered it before its answer to the publish arrived. */
export function itemEnded(
  sql: Sql,
  seq: number,
  eventId: string,
  end: {
    readonly outcome: "delivered" | "failed_again";
    readonly reason?: string;
    /** The matching event of the dead letter. */
    readonly event: DeadLetterEvent;
  },
  nowMs: number,
): void {
  const item = known(sql, seq, eventId);
  if (item?.outcome !== "published" && item?.outcome !== "pending") return;
  sql.all(
    "UPDATE items SET outcome = ?, reason = ?, ended_at = ?, check_at = NULL, troubled = 0 WHERE replay = ? AND event_id = ?",
    end.outcome,
    end.reason ?? null,
    nowMs,
    seq,
    eventId,
  );
  sql.all(
    `UPDATE replays SET ${end.outcome} = ${end.outcome} + 1, published = published + ?, troubled = troubled - ? WHERE seq = ?`,
    item.outcome === "pending" ? 1 : 0,
    item.troubled,
    seq,
  );
  moveDeadLetters(sql, end.event, [eventId], item.replay_id);
  if (end.event === "replay_delivered") considerRemovals(sql, [eventId], nowMs);
}

/** The record will not be sent; the dead letter is open again. */
export function itemSkipped(sql: Sql, seq: number, eventId: string, reason: SkipReason, nowMs: number): void {
  const item = known(sql, seq, eventId);
  if (item?.outcome !== "pending") return;
  sql.all(
    "UPDATE items SET outcome = 'skipped', reason = ?, ended_at = ? WHERE replay = ? AND event_id = ?",
    reason,
    nowMs,
    seq,
    eventId,
  );
  sql.all("UPDATE replays SET skipped = skipped + 1 WHERE seq = ?", seq);
  moveDeadLetters(sql, "released", [eventId], item.replay_id);
}

/** A published record failed an attempt and waits for its next one. */
export function itemTroubled(sql: Sql, seq: number, eventId: string): void {
  sql.all("UPDATE items SET troubled = 1 WHERE replay = ? AND event_id = ?", seq, eventId);
  sql.all("UPDATE replays SET troubled = troubled + 1 WHERE seq = ?", seq);
}

/** Records of a replay that are dead letters again. Returns the affected replays. */
export function failReplayed(sql: Sql, failed: readonly FailedReplay[], nowMs: number): ReadonlySet<number> {
  const concerned = new Set<number>();
  for (const { eventId, mark, reason } of failed) {
    const [replay] = sql.all<{ seq: number }>("SELECT seq FROM replays WHERE id = ?", mark.id);
    if (!replay) continue;
    itemEnded(sql, replay.seq, eventId, { outcome: "failed_again", reason, event: "released" }, nowMs);
    concerned.add(replay.seq);
  }
  return concerned;
}
