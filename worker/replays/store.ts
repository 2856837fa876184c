/** Replays and their items in the database that they share with the dead letters. */
import type { ReplayOutcome, ReplayState } from "../../shared/api.ts";
import { mintEventId } from "../../shared/event-id.ts";
import { releaseReplay } from "../dead-letters/store.ts";
import type { ReplayPlan } from "./plan.ts";
import type { ReplayRequest } from "./request.ts";
import type { Sql } from "../storage/sql.ts";

/** `planning` is never shown: a replay found in it after a restart is undone. */
export type StoredReplayState = ReplayState | "planning";

export interface ReplayRow {
  readonly seq: number;
  readonly id: string;
  readonly state: StoredReplayState;
  /** JSON of the `ReplayRequest` without its list of event ids. */
  readonly request: string;
  readonly plan: string;
  /** Who started it: who confirmed the plan, if there was one. */
  readonly requested_by: string;
  /** Who made the confirmed plan. */
  readonly planned_by: string | null;
  /** JSON of the `ReplayControl`s, oldest first. */
  readonly controls: string;
  readonly created_at: number;
  readonly finished_at: number | null;
  /** When to publish next. */
  readonly due_at: number;
  /** Consecutive publishing failures. */
  readonly failures: number;
  /** JSON of the event ids whose message may be on its way to QStash. */
  readonly in_flight: string;
  readonly total: number;
  readonly published: number;
  readonly delivered: number;
  readonly failed_again: number;
  readonly skipped: number;
  /** Published records that have not ended and have failed an attempt since. */
  readonly troubled: number;
  readonly judged_seen: number;
  readonly judged_failed: number;
  readonly receipt: string | null;
}

export interface ItemRow {
  readonly event_id: string;
  readonly n: number;
  readonly outcome: ReplayOutcome;
  readonly reason: string | null;
  readonly message_id: string | null;
  readonly published_at: number | null;
  readonly ended_at: number | null;
}

/** A replay by its public id. */
export function findReplay(sql: Sql, id: string): ReplayRow | undefined {
  return sql.all<ReplayRow>("SELECT * FROM replays WHERE id = ? AND state <> 'planning'", id)[0];
}

export function replayBySeq(sql: Sql, seq: number): ReplayRow | undefined {
  return sql.all<ReplayRow>("SELECT * FROM replays WHERE seq = ?", seq)[0];
}

/** Returns replays, newest first; `beforeSeq` continues a list. */
export function listReplays(sql: Sql, limit: number, beforeSeq: number | undefined): ReplayRow[] {
  const query = "SELECT * FROM replays WHERE state <> 'planning' AND seq < ? ORDER BY seq DESC LIMIT ?";
  return sql.all<ReplayRow>(query, beforeSeq ?? Number.MAX_SAFE_INTEGER, limit);
}

export function insertReplay(sql: Sql, id: string, request: ReplayRequest, by: string, nowMs: number): number {
  const stored = JSON.stringify({
    ...request,
    selection: request.selection.kind === "event_ids" ? { kind: "event_ids" } : request.selection,
  });
  const [row] = sql.all<{ seq: number }>(
    `INSERT INTO replays (id, state, request, requested_by, planned_by, created_at, due_at)
     VALUES (?, 'planning', ?, ?, ?, ?, ?) RETURNING seq`,
    id,
    stored,
    by,
    request.plannedBy ?? null,
    nowMs,
    nowMs,
  );
  if (!row) throw new Error("the replay was not stored");
  return row.seq;
}

/** Ends the planning of a replay: publishing starts. */
export function startReplay(sql: Sql, seq: number, plan: ReplayPlan, nowMs: number): void {
  sql.all(
    "UPDATE replays SET state = 'running', plan = ?, total = ?, skipped = ?, due_at = ? WHERE seq = ?",
    JSON.stringify(plan),
    plan.send + plan.skip,
    plan.skip,
    nowMs,
    seq,
  );
}

/** Returns the request of a replay, without its list of event ids. */
export function requestOf(replay: ReplayRow): ReplayRequest {
  return JSON.parse(replay.request) as ReplayRequest;
}

/** What operators did to a replay after its start. */
interface ReplayControl {
  readonly control: "pause" | "resume" | "cancel";
  readonly by: string;
  readonly at: string;
}

/** Returns what operators did to a replay, oldest first. */
export function controlsOf(replay: ReplayRow): readonly ReplayControl[] {
  return JSON.parse(replay.controls) as readonly ReplayControl[];
}

/** Returns a page of items in the order of their event ids. */
export function listItems(
  sql: Sql,
  seq: number,
  outcome: ReplayOutcome | undefined,
  limit: number,
  after: string,
): ItemRow[] {
  const wanted = outcome === undefined ? "" : " AND outcome = ?";
  return sql.all<ItemRow>(
    `SELECT event_id, n, outcome, reason, message_id, published_at, ended_at FROM items
     WHERE replay = ? AND event_id > ?${wanted} ORDER BY event_id LIMIT ?`,
    seq,
    after,
    ...(outcome === undefined ? [] : [outcome]),
    limit,
  );
}

export function setState(sql: Sql, seq: number, state: StoredReplayState): void {
  sql.all("UPDATE replays SET state = ? WHERE seq = ?", state, seq);
}

/** A new id: `rp_` for a replay, `pl_` for a plan, and a UUIDv7 without hyphens, so that ids sort by time. */
export function newId(prefix: "rp" | "pl", nowMs: number): string {
  return `${prefix}_${mintEventId(nowMs, crypto.getRandomValues(new Uint8Array(9)), 0).replaceAll("-", "")}`;
}

/** Undoes replays whose planning never ended (all, or one), and releases their dead letters. */
export function takeBackOrphans(sql: Sql, id?: string): void {
  const query = "SELECT seq, id FROM replays WHERE state = 'planning' AND id = coalesce(?, id)";
  for (const orphan of sql.all<{ seq: number; id: string }>(query, id ?? null)) {
    releaseReplay(sql, orphan.id);
    sql.all("DELETE FROM items WHERE replay = ?", orphan.seq);
    sql.all("DELETE FROM replays WHERE seq = ?", orphan.seq);
  }
}
