/** Pause, resume and cancel: what an operator may do to a replay in each state. */
import { itemSkipped } from "./items.ts";
import { isoTime } from "../json-fields.ts";
import { controlsOf, findReplay, replayBySeq, type ReplayRow, type StoredReplayState } from "./store.ts";
import type { Sql } from "../storage/sql.ts";

export type Control = "pause" | "resume" | "cancel";

export type Controlled =
  | { readonly kind: "ok"; readonly replay: ReplayRow; readonly changed: boolean }
  | { readonly kind: "not_found" }
  | { readonly kind: "conflict"; readonly state: StoredReplayState };

const ALLOWED: Readonly<Record<Control, readonly StoredReplayState[]>> = {
  pause: ["running"],
  resume: ["paused", "stopped"],
  cancel: ["running", "paused", "stopped"],
};

/** The state in which repeating the request is not an error. */
const ALREADY: Readonly<Record<Control, StoredReplayState | undefined>> = {
  pause: "paused",
  resume: "running",
  cancel: undefined,
};

/** Controls stored per replay; the oldest are dropped. Our choice. */
const CONTROLS_MAX = 100;

/** Applies the control if the replay's state allows it. */
export function controlReplay(sql: Sql, id: string, control: Control, by: string, nowMs: number): Controlled {
  return sql.transaction(() => {
    const replay = findReplay(sql, id);
    if (!replay) return { kind: "not_found" };
    if (replay.state === ALREADY[control]) return { kind: "ok", replay, changed: false };
    if (!ALLOWED[control].includes(replay.state)) return { kind: "conflict", state: replay.state };
    ACTIONS[control](sql, replay, nowMs);
    const controls = [...controlsOf(replay), { control, by, at: isoTime(nowMs) }].slice(-CONTROLS_MAX);
    sql.all("UPDATE replays SET controls = ? WHERE seq = ?", JSON.stringify(controls), replay.seq);
    return { kind: "ok", replay: replayBySeq(sql, replay.seq) ?? replay, changed: true };
  });
}

const ACTIONS: Readonly<Record<Control, (sql: Sql, replay: ReplayRow, nowMs: number) => void>> = {
  pause: (sql, { seq }) => sql.all("UPDATE replays SET state = 'paused' WHERE seq = ?", seq),
  resume: (sql, { seq }, nowMs) =>
    // The error rate counts from here again.
    sql.all(
      `UPDATE replays SET state = 'running', due_at = ?, failures = 0, judged_failed = failed_again + troubled,
       judged_seen = delivered + failed_again + troubled WHERE seq = ?`,
      nowMs,
      seq,
    ),
  cancel: (sql, replay, nowMs) => {
    // Messages that may be on their way to QStash are published again under the same id, to tell them from those never sent.
    const pending = sql.all<{ event_id: string }>(
      `SELECT event_id FROM items WHERE replay = ? AND outcome = 'pending'
       AND event_id NOT IN (SELECT value FROM json_each(?))`,
      replay.seq,
      replay.in_flight,
    );
    for (const { event_id } of pending) itemSkipped(sql, replay.seq, event_id, "cancelled", nowMs);
    sql.all("UPDATE replays SET state = 'running', due_at = ? WHERE seq = ?", nowMs, replay.seq);
  },
};
