/** The progress of a replay, as a bar and in numbers. */
import type { ReplayAnswer } from "../../shared/replay-answers.ts";
import { count } from "../words/metrics.ts";

export function ReplayProgress({ replay: { progress } }: { readonly replay: Pick<ReplayAnswer, "progress"> }) {
  const { total, delivered, failed_again: failed, skipped } = progress;
  return (
    <div class="progress">
      <progress max={Math.max(total, 1)} value={delivered + failed + skipped} aria-label="Ended" />
      <p class="quiet">
        {count(delivered)} delivered, {count(failed)} failed again, {count(skipped)} skipped of {count(total)}
      </p>
    </div>
  );
}
