/** Discards dead letters, after the person has seen their number and given a reason. */
import { useEffect, useState } from "preact/hooks";
import type { DiscardAnswer } from "../../shared/api.ts";
import { api, type ApiFailure, failureOf } from "../api/client.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Failure, Skeleton } from "../parts/notice.tsx";
import type { Selection } from "../words/filters.ts";
import { count } from "../words/metrics.ts";

interface DiscardDialogProps {
  readonly selection: Selection;
  readonly onClose: () => void;
  readonly onDone: () => Promise<void>;
}

export function DiscardDialog({ selection, onClose, onDone }: DiscardDialogProps) {
  /** The number of dead letters; the worker refuses to discard a different number. */
  const [number, setNumber] = useState<number>();
  const [reason, setReason] = useState("");
  const [done, setDone] = useState<DiscardAnswer>();
  const [failure, setFailure] = useState<ApiFailure>();
  const look = async () => {
    setFailure(undefined);
    await api.post<{ count: number }>("/api/dead-letters/discard", { ...selection, dry_run: true }).then(
      (answer) => setNumber(answer.count),
      (error: unknown) => setFailure(failureOf(error)),
    );
  };
  useEffect(() => void look(), []);
  const discard = async (close: () => void) => {
    const counted = "event_ids" in selection ? {} : { count: number };
    const body = { ...selection, ...counted, reason: reason.trim() };
    const answer = await api.post<DiscardAnswer>("/api/dead-letters/discard", body);
    await onDone();
    if (answer.skipped === 0) close();
    else setDone(answer);
  };
  const title = number === undefined || done ? "Discard" : `Discard ${deadLetters(number)}?`;
  return (
    <Dialog title={title} onClose={onClose}>
      {(close) => (
        <>
          {number === undefined && !failure && <Skeleton lines={3} />}
          {done && <p>{doneWords(done)}</p>}
          {number !== undefined && !done && <Question number={number} reason={reason} onReason={setReason} />}
          <Failure failure={failure} what="Nothing was discarded" onRetry={() => void look()} />
          <div class="row end">
            <button type="button" onClick={close}>
              {done ? "Close" : "Cancel"}
            </button>
            {number !== undefined && !done && (
              <ActionButton
                kind="danger"
                disabled={reason.trim() === "" || number === 0}
                onPress={() => discard(close)}
                onFailure={setFailure}
              >
                Discard
              </ActionButton>
            )}
          </div>
        </>
      )}
    </Dialog>
  );
}

function deadLetters(number: number): string {
  return number === 1 ? "1 dead letter" : `${count(number)} dead letters`;
}

function doneWords({ discarded, skipped }: DiscardAnswer): string {
  return `${count(discarded)} discarded. ${count(skipped)} were left alone, because they were no longer open.`;
}

interface QuestionProps {
  readonly number: number;
  readonly reason: string;
  readonly onReason: (reason: string) => void;
}

function Question({ number, reason, onReason }: QuestionProps) {
  return (
    <>
      <p>
        {number === 1 ? "Its event" : `These ${count(number)} events`} will not be sent to WorkOS. Your name and the
        reason are kept. This cannot be undone.
      </p>
      <div class="field">
        <label for="reason">Reason</label>
        <input
          id="reason"
          type="text"
          maxLength={500}
          autoComplete="off"
          value={reason}
          onInput={(event) => onReason(event.currentTarget.value)}
        />
      </div>
    </>
  );
}
