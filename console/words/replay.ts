/** Describes the state of a replay in a sentence. Pure. */
import type { ReplayAnswer } from "../../shared/replay-answers.ts";

export function replayWords({
  state,
  problem,
  progress,
}: Pick<ReplayAnswer, "state" | "problem" | "progress">): string {
  if (problem !== undefined) return "QStash does not accept messages. The replay continues by itself once it does.";
  if (state === "running") return "The replay is running. It continues in the worker, even if you leave this page.";
  if (state === "paused") return "The replay is paused. Nothing more is sent until you resume it.";
  if (state === "stopped")
    return "Too many records failed again, so the replay has stopped. Look at their reasons before you resume it.";
  if (state === "settling") return "All messages are with QStash. Some outcomes are still open.";
  if (progress.failed_again > 0) return "The replay is done. Some records failed again and are open dead letters.";
  return "The replay is done.";
}
