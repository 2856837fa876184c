/** Replays as the API shows them. */
import { isoTime, withoutNulls } from "../json-fields.ts";
import { shownSelection } from "../replays/receipt.ts";
import { controlsOf, requestOf, type ItemRow, type ReplayRow } from "../replays/store.ts";

/** An entry of the list; `whole` adds the plan and the receipt. */
export function replayView(replay: ReplayRow, whole: boolean): Record<string, unknown> {
  const request = requestOf(replay);
  return withoutNulls({
    id: replay.id,
    state: replay.state,
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
      state: replay.state,
      total: replay.total,
      published: replay.published,
      delivered: replay.delivered,
      failed_again: replay.failed_again,
      skipped: replay.skipped,
    },
    problem: replay.state === "running" && replay.failures > 0 ? "queue_unreachable" : null,
    plan: whole ? JSON.parse(replay.plan) : null,
    receipt: whole && replay.receipt !== null ? JSON.parse(replay.receipt) : null,
  });
}

export function itemView(item: ItemRow): Record<string, unknown> {
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
