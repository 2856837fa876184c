/** Shows the progress of a replay: a bar on a terminal, or a line per change in a pipe. */
import { Presets, SingleBar } from "cli-progress";
import type { Replay } from "../api/answers.ts";
import type { Io } from "../run/io.ts";

export interface ProgressView {
  readonly show: (replay: Replay) => void;
  readonly end: () => void;
}

/** In a pipe, at most one line per step of the total, so that a log stays short. */
const STEPS = 20;

/** Chooses the view for this terminal or pipe. It writes to stderr. */
export function progressView(io: Io): ProgressView {
  return io.redraws ? bar() : plainLines(io);
}

function ended({ progress }: Replay): number {
  return progress.delivered + progress.failed_again + progress.skipped;
}

function bar(): ProgressView {
  const format = "{bar} {percentage}% | {value}/{total} | delivered {delivered} | failed {failed} | {state}";
  const view = new SingleBar({ format, hideCursor: true, stream: process.stderr }, Presets.shades_classic);
  let started = false;
  return {
    show: (replay) => {
      const payload = {
        delivered: replay.progress.delivered,
        failed: replay.progress.failed_again,
        state: replay.problem ?? replay.state,
      };
      if (!started) view.start(replay.progress.total, ended(replay), payload);
      started = true;
      view.setTotal(replay.progress.total);
      view.update(ended(replay), payload);
    },
    end: () => view.stop(),
  };
}

function plainLines(io: Io): ProgressView {
  let last = "";
  return {
    show: (replay) => {
      const { total, delivered, failed_again: failed, skipped } = replay.progress;
      const step = total === 0 ? STEPS : Math.floor((ended(replay) / total) * STEPS);
      const key = `${step} ${replay.state} ${replay.problem ?? ""}`;
      if (key === last) return;
      last = key;
      const problem = replay.problem === undefined ? "" : ` (${replay.problem})`;
      io.note(
        `${replay.state}${problem}: ${ended(replay)}/${total}, delivered ${delivered}, failed ${failed}, skipped ${skipped}`,
      );
    },
    end: () => undefined,
  };
}
