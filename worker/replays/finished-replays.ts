/** Moves replays on to `settling` and `done`, and forgets old ones. */
import { DEAD_LETTER_RETENTION_MS } from "../../shared/limits.ts";
import { makeReceipt } from "./receipt.ts";
import type { ReplayRow } from "./store.ts";
import type { Sql } from "../storage/sql.ts";

/** Replays with nothing left to publish; the receipt is written once every record has ended. */
export async function finishReplays(sql: Sql, now: () => number): Promise<void> {
  sql.all(
    `UPDATE replays SET state = 'settling' WHERE state IN ('running', 'paused', 'stopped')
     AND NOT EXISTS (SELECT 1 FROM items WHERE replay = seq AND outcome = 'pending')`,
  );
  const ended = sql.all<ReplayRow>(
    "SELECT * FROM replays WHERE state = 'settling' AND published = delivered + failed_again AND total = published + skipped",
  );
  for (const replay of ended) {
    const nowMs = now();
    const receipt = await makeReceipt(sql, replay, nowMs);
    sql.all(
      "UPDATE replays SET state = 'done', finished_at = ?, receipt = ? WHERE seq = ? AND state = 'settling'",
      nowMs,
      receipt,
      replay.seq,
    );
  }
}

/** Forgets replays that ended longer ago than dead letters are kept. */
export function pruneReplays(sql: Sql, nowMs: number): void {
  const old = sql.all<{ seq: number }>(
    "SELECT seq FROM replays WHERE state = 'done' AND finished_at < ?",
    nowMs - DEAD_LETTER_RETENTION_MS,
  );
  for (const { seq } of old) {
    sql.all("DELETE FROM items WHERE replay = ?", seq);
    sql.all("DELETE FROM replays WHERE seq = ?", seq);
  }
}
