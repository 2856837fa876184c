/** Replays as the API shows them. */
import { iso, known } from "../archive/view.ts";
import { shownSelection } from "./receipt.ts";
import { requestOf, type ItemRow, type ReplayRow } from "./store.ts";

/** An entry of the list; `whole` adds the plan and the receipt. */
export function replayView(replay: ReplayRow, whole: boolean): Record<string, unknown> {
  const request = requestOf(replay);
  return known({
    id: replay.id,
    state: replay.state,
    name: request.name ?? null,
    by: replay.requested_by,
    created_at: iso(replay.created_at),
    finished_at: iso(replay.finished_at),
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
  return known({
    event_id: item.event_id,
    n: item.n,
    outcome: item.outcome,
    reason: item.reason,
    message_id: item.message_id,
    published_at: iso(item.published_at),
    ended_at: iso(item.ended_at),
  });
}
