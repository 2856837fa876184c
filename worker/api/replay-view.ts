/** Replays as the API shows them. */
import type { ReplayState } from "../../shared/api.ts";
import type { PlanAnswer, ReplayAnswer, ReplayItemAnswer } from "../../shared/replay-answers.ts";
import { isoTime, withoutNulls } from "../json-fields.ts";
import { shownSelection } from "../replays/receipt.ts";
import { controlsOf, requestOf, type ItemRow, type ReplayRow } from "../replays/store.ts";

/** A list entry; `whole` adds the plan and the receipt. */
export function replayView(replay: ReplayRow, whole: boolean): ReplayAnswer {
  const request = requestOf(replay);
  // The API never shows a replay that is still being planned.
  const state = replay.state as ReplayState;
  return withoutNulls({
    id: replay.id,
    state,
    name: request.name ?? null,
    by: replay.requested_by,
    planned_by: replay.planned_by,
    controls: controlsOf(replay),
    created_at: isoTime(replay.created_at),
    finished_at: isoTime(replay.finished_at),
    rate: request.rate,
    selection: shownSelection(request.asked),
    accept_duplicates: request.acceptDuplicates,
    stop_on_error_rate: request.stopOnErrorRate ?? null,
    mend: request.mend ?? null,
    progress: {
      state,
      total: replay.total,
      published: replay.published,
      delivered: replay.delivered,
      failed_again: replay.failed_again,
      skipped: replay.skipped,
    },
    problem: replay.state === "running" && replay.failures > 0 ? "queue_unreachable" : null,
    plan: whole ? (JSON.parse(replay.plan) as PlanAnswer) : null,
    receipt: whole && replay.receipt !== null ? (JSON.parse(replay.receipt) as Record<string, unknown>) : null,
  });
}

export function itemView(item: ItemRow): ReplayItemAnswer {
  return withoutNulls({
    event_id: item.event_id,
    n: item.n,
    outcome: item.outcome,
    reason: item.reason,
    message_id: item.message_id,
    published_at: isoTime(item.published_at),
    ended_at: isoTime(item.ended_at),
  });
}
