/** What operators did, stored as long as ended incidents, so that an incident shows who acted on it. */
import type { Sql } from "../storage/sql.ts";

/** How long ended incidents and actions are kept. Our choice. */
export const HISTORY_KEPT_MS = 30 * 86_400_000;
/** Most actions that one incident shows, newest kept. Our choice. */
const ACTIONS_MAX = 100;

/** One action, from the arrival of its request until it was done. */
export interface NotedAction {
  readonly action: string;
  /** The operator's name. */
  readonly by: string;
  readonly targetType: string;
  readonly targetId: string;
  readonly startedMs: number;
  readonly endedMs: number;
}

interface Stored {
  readonly action: string;
  readonly by_name: string;
  readonly target_type: string;
  readonly target_id: string;
  readonly started_ms: number;
  readonly ended_ms: number;
}

/** Stores an action, and removes old ones. */
export function noteAction(sql: Sql, noted: NotedAction): void {
  sql.all(
    `INSERT INTO operator_actions (action, by_name, target_type, target_id, started_ms, ended_ms) VALUES (?, ?, ?, ?, ?, ?)`,
    noted.action,
    noted.by,
    noted.targetType,
    noted.targetId,
    noted.startedMs,
    noted.endedMs,
  );
  sql.all("DELETE FROM operator_actions WHERE ended_ms < ?", noted.endedMs - HISTORY_KEPT_MS);
}

/** Returns the actions that overlap a period, oldest first. */
export function actionsBetween(sql: Sql, sinceMs: number, untilMs: number): readonly NotedAction[] {
  return sql
    .all<Stored>(
      "SELECT * FROM operator_actions WHERE ended_ms >= ? AND started_ms <= ? ORDER BY id DESC LIMIT ?",
      sinceMs,
      untilMs,
      ACTIONS_MAX,
    )
    .toReversed()
    .map(({ action, by_name, target_type, target_id, started_ms, ended_ms }) => ({
      action,
      by: by_name,
      targetType: target_type,
      targetId: target_id,
      startedMs: started_ms,
      endedMs: ended_ms,
    }));
}
