/** One record: its current state, its history, the reason, what to do, and the record itself. */
import { useState } from "preact/hooks";
import type { EventAnswer } from "../../shared/event-answers.ts";
import type { WholeDeadLetterAnswer } from "../../shared/api.ts";
import { api, type ApiFailure } from "../api/client.ts";
import { useResource } from "../api/resource.ts";
import { recordAddress } from "../location.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Failure, Skeleton } from "../parts/notice.tsx";
import { OutsideText } from "../parts/outside-text.tsx";
import { StateTag } from "../parts/state-tag.tsx";
import { View } from "../parts/view.tsx";
import { useMay } from "../session.tsx";
import { fateWords } from "../words/fate.ts";
import { adviceFor, reasonWords } from "../words/reasons.ts";
import { DiscardDialog } from "./discard-dialog.tsx";
import { PlanDialog } from "./plan-dialog.tsx";
import { RecordFields } from "./record-fields.tsx";
import { Timeline } from "./timeline.tsx";

/** The state may change while the person reads. */
const REFRESH_MS = 5_000;

export function RecordView({ eventId }: { readonly eventId: string }) {
  const fate = useResource<EventAnswer>(`/api/events/${encodeURIComponent(eventId)}`, REFRESH_MS);
  const isDeadLetter = fate.data?.dead_letter !== undefined;
  const letter = useResource<WholeDeadLetterAnswer>(
    isDeadLetter ? `/api/dead-letters/${encodeURIComponent(eventId)}` : undefined,
  );
  const reload = async () => {
    await Promise.all([fate.reload(), letter.reload()]);
  };
  return (
    <View title="Record" actions={fate.data && <StateTag state={fate.data.dead_letter?.state ?? fate.data.state} />}>
      <p class="mono subject">
        <OutsideText text={eventId} />
      </p>
      <Failure failure={fate.failure} what="The record could not be loaded" onRetry={() => void fate.reload()} />
      {!fate.data && !fate.failure && <Skeleton lines={6} />}
      {fate.data && <Where fate={fate.data} />}
      {letter.data && <Why letter={letter.data} onDone={reload} />}
      {fate.data && fate.data.state !== "unknown" && <Timeline fate={fate.data} letter={letter.data} />}
      <Failure
        failure={letter.failure}
        what="The dead letter could not be loaded"
        onRetry={() => void letter.reload()}
      />
      {letter.data && <Contents key={letter.data.state} letter={letter.data} />}
    </View>
  );
}

function Where({ fate }: { readonly fate: EventAnswer }) {
  return (
    <section class="card" aria-label="Where it is">
      <p class="lead">{fateWords(fate)}</p>
      {fate.request_id !== undefined && (
        <p class="quiet">
          Request id: <OutsideText text={fate.request_id} />
        </p>
      )}
      {[fate.corrects, fate.late_outcome].map(
        (other) =>
          other !== undefined && (
            <p key={other}>
              {other === fate.corrects ? "It tells the outcome of " : "Its outcome came later, as "}
              <a class="mono" href={recordAddress(other)}>
                <OutsideText text={other} />
              </a>
            </p>
          ),
      )}
    </section>
  );
}

interface LetterProps {
  readonly letter: WholeDeadLetterAnswer;
}

/** The reason in words, what to do, and the buttons that do it. */
function Why({ letter, onDone }: LetterProps & { readonly onDone: () => Promise<void> }) {
  const [open, setOpen] = useState<"plan" | "discard">();
  const may = useMay("operate");
  const words = reasonWords(letter.reason);
  const selection = { event_ids: [letter.event_id] };
  return (
    <section class="card" aria-label="Why">
      <h2>Why it was not delivered</h2>
      {words !== undefined && <p>{words}</p>}
      <p class="quiet">
        <OutsideText text={letter.reason} /> · class {letter.class} · {letter.attempts}{" "}
        {letter.attempts === 1 ? "attempt" : "attempts"}
      </p>
      {letter.discarded && (
        <p>
          Discarded by <OutsideText text={letter.discarded.by} />: <OutsideText text={letter.discarded.reason} />
        </p>
      )}
      <h3>What to do</h3>
      <ol>
        {adviceFor(letter).map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      {may && letter.state === "open" && (
        <div class="row">
          <button type="button" class="primary" onClick={() => setOpen("plan")}>
            Plan replay
          </button>
          <button type="button" onClick={() => setOpen("discard")}>
            Discard
          </button>
        </div>
      )}
      {open === "plan" && <PlanDialog selection={selection} onClose={() => setOpen(undefined)} />}
      {open === "discard" && <DiscardDialog selection={selection} onClose={() => setOpen(undefined)} onDone={onDone} />}
    </section>
  );
}

/** The record, with its selected values hidden until somebody reveals them. */
function Contents({ letter }: LetterProps) {
  const [revealed, setRevealed] = useState<WholeDeadLetterAnswer>();
  const [failure, setFailure] = useState<ApiFailure>();
  const may = useMay("operate");
  const shown = revealed ?? letter;
  const canReveal = !revealed && (letter.hidden.length > 0 || letter.body_bytes !== undefined);
  const reveal = async () => {
    setRevealed(
      await api.get<WholeDeadLetterAnswer>(`/api/dead-letters/${encodeURIComponent(letter.event_id)}?reveal=true`),
    );
  };
  return (
    <section class="card" aria-label="Contents">
      <div class="heading">
        <h2>{shown.record ? "The record" : "The message"}</h2>
        {may && canReveal && (
          <div class="row">
            <span class="quiet">Revealing is on record, under your name.</span>
            <ActionButton onPress={reveal} onFailure={setFailure}>
              Reveal
            </ActionButton>
          </div>
        )}
      </div>
      <Failure failure={failure} what="Nothing was revealed" />
      {shown.record && <RecordFields value={shown.record} />}
      {shown.body_bytes !== undefined && <p>{shown.body_bytes} bytes that could not be decoded.</p>}
      {shown.body !== undefined && <pre class="body">{shown.body}</pre>}
    </section>
  );
}
