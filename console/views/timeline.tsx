/** The history of a record: captured, queued, each attempt, and its current state. */
import type { ComponentChildren } from "preact";
import type { EventAnswer } from "../../shared/event-answers.ts";
import type { WholeDeadLetterAnswer } from "../../shared/api.ts";
import { addressOf } from "../location.ts";
import { OutsideText } from "../parts/outside-text.tsx";
import { span, Time } from "../parts/time.tsx";
import { attemptWords, fateWords } from "../words/fate.ts";
import { reasonWords } from "../words/reasons.ts";

interface TimelineProps {
  readonly fate: EventAnswer;
  readonly letter: WholeDeadLetterAnswer | undefined;
}

export function Timeline({ fate, letter }: TimelineProps) {
  const parked = letter ? [...letter.history, letter] : [];
  return (
    <section class="card" aria-label="Timeline">
      <h2>Timeline</h2>
      <ol class="timeline plain">
        <Step title="Captured at the gateway" at={fate.occurred_at}>
          {letter?.route !== undefined && <OutsideText text={`${letter.method ?? ""} ${letter.route}`.trim()} />}
        </Step>
        <Step title="Queued">
          {letter?.message_id !== undefined && (
            <>
              Message <code>{letter.message_id}</code>
            </>
          )}
        </Step>
        {fate.attempts.map((attempt) => (
          <Step
            key={attempt.n}
            tone={attempt.outcome === "delivered" ? "ok" : "bad"}
            title={`Attempt ${attempt.n}: ${attemptWords(attempt.outcome)}`}
            at={attempt.at}
          >
            <Attempt attempt={attempt} />
          </Step>
        ))}
        {parked.map(({ parked_at: at, reason, replay_id: replay }) => (
          <Step key={at} tone="bad" title="Became a dead letter" at={at}>
            <OutsideText text={reason} />
            {replay !== undefined && (
              <>
                {" "}
                after replay <a href={addressOf(`/replays/${replay}`)}>{replay}</a>
              </>
            )}
          </Step>
        ))}
        <Step tone={fate.state === "delivered" ? "ok" : "now"} title="Now">
          {fateWords(fate)}
        </Step>
      </ol>
    </section>
  );
}

function Attempt({
  attempt: { duration_ms, status, reason, wrote },
}: {
  readonly attempt: EventAnswer["attempts"][number];
}) {
  const words = reason === undefined ? undefined : reasonWords(reason);
  return (
    <>
      {words !== undefined && <p>{words}</p>}
      <span class="quiet">
        {duration_ms !== undefined && span(duration_ms)}
        {status !== undefined && ` · HTTP ${status}`}
        {reason !== undefined && (
          <>
            {" · "}
            <OutsideText text={reason} />
          </>
        )}
        {wrote === "maybe" && " · WorkOS may have stored it"}
      </span>
    </>
  );
}

interface StepProps {
  readonly title: string;
  readonly at?: string | undefined;
  readonly tone?: "ok" | "bad" | "now";
  readonly children?: ComponentChildren;
}

function Step({ title, at, tone = "now", children }: StepProps) {
  return (
    <li class={tone}>
      <p class="row">
        <strong>{title}</strong>
        {at !== undefined && (
          <span class="quiet">
            <Time at={at} />
          </span>
        )}
      </p>
      {children}
    </li>
  );
}
