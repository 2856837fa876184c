/** Moves replays on to `settling` and `done`, and forgets old ones. */
import { DEAD_LETTER_RETENTION_MS } from "../../shared/limits.ts";
import { read } from "../archive/row.ts";
import { makeReceipt } from "./receipt.ts";
import type { ReplayRow } from "./store.ts";

/** Replays of which nothing waits to be published any more; the receipt is written once nothing is open. */
export async function finishReplays(storage: DurableObjectStorage, now: () => number): Promise<void> {
  const { sql } = storage;
  sql.exec(
    `UPDATE replays SET state = 'settling' WHERE state IN ('running', 'paused', 'stopped')
     AND NOT EXISTS (SELECT 1 FROM items WHERE replay = seq AND outcome = 'pending')`,
  );
  const ended = read<ReplayRow>(
    sql,
    "SELECT * FROM replays WHERE state = 'settling' AND published = delivered + failed_again AND total = published + skipped",
  );
  for (const replay of ended) {
    const nowMs = now();
    const receipt = await makeReceipt(sql, replay, nowMs);
    sql.exec(
      "UPDATE replays SET state = 'done', finished_at = ?, receipt = ? WHERE seq = ? AND state = 'settling'",
      nowMs,
      receipt,
      replay.seq,
    );
  }
}

/** Forgets replays that ended longer ago than dead letters are kept. */
export function pruneReplays(sql: SqlStorage, nowMs: number): void {
  const old = read<{ seq: number }>(
    sql,
    "SELECT seq FROM replays WHERE state = 'done' AND finished_at < ?",
    nowMs - DEAD_LETTER_RETENTION_MS,
  );
  for (const { seq } of old) {
    sql.exec("DELETE FROM items WHERE replay = ?", seq);
    sql.exec("DELETE FROM replays WHERE seq = ?", seq);
  }
}
