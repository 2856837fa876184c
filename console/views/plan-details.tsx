/** What a plan will send and skip, and how it changes the events. */
import type { PlanAnswer } from "../../shared/replay-answers.ts";
import { Counts } from "../parts/counts.tsx";
import { OutsideText } from "../parts/outside-text.tsx";
import { span } from "../parts/time.tsx";
import { count } from "../words/metrics.ts";
import { skipWords } from "../words/reasons.ts";

export function PlanDetails({ plan }: { readonly plan: PlanAnswer }) {
  const { send, skip, rate, seconds } = plan;
  return (
    <div class="stack">
      <p class="lead">
        {send === 0
          ? "There is nothing to send."
          : `Sends ${count(send)}, at ${count(rate)} a second: about ${span(Math.max(1, seconds) * 1_000)}.`}
        {skip > 0 && ` Leaves out ${count(skip)}.`}
      </p>
      <div class="columns">
        <Counts title="By class" counts={plan.by_class} />
        <Counts title="By action" counts={plan.by_action} />
        <Counts title="By organization" counts={plan.by_organization} />
        <Counts title="Left out" counts={plan.skip_reasons} name={skipWords} />
      </div>
      {plan.mend && <Changes mend={plan.mend} />}
    </div>
  );
}

function Changes({ mend: { changed, unchanged, sample } }: { readonly mend: NonNullable<PlanAnswer["mend"]> }) {
  return (
    <div>
      <h3>
        Changes {count(changed)}, leaves {count(unchanged)} as they are
      </h3>
      <ul class="plain changes">
        {sample.map(({ event_id, changes }) => (
          <li key={event_id}>
            <code>{event_id}</code>
            {changes.map(({ field, from, to }) => (
              <p key={field}>
                <OutsideText text={field} />: <del>{<OutsideText text={textOf(from)} />}</del>
                {to !== null && to !== undefined && (
                  <>
                    {" → "}
                    <ins>
                      <OutsideText text={textOf(to)} />
                    </ins>
                  </>
                )}
              </p>
            ))}
          </li>
        ))}
      </ul>
      {changed > sample.length && <p class="quiet">and {count(changed - sample.length)} more</p>}
    </div>
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "none");
}
