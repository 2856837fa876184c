/** Gives dead letters up, after asking with their number and for a reason. */
import { useState } from "preact/hooks";
import { api, type ApiFailure, failureOf } from "../api/client.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Failure } from "../parts/notice.tsx";
import { count } from "../words/metrics.ts";

/** Requests at the same time; more would only wait for one another. */
const LANES = 4;

interface DiscardDialogProps {
  readonly number: number;
  /** The event ids, asked for once the person has confirmed. */
  readonly targets: () => Promise<readonly string[]>;
  readonly onClose: () => void;
  readonly onDone: () => Promise<void>;
}

export function DiscardDialog({ number, targets, onClose, onDone }: DiscardDialogProps) {
  const [reason, setReason] = useState("");
  const [done, setDone] = useState<number>();
  const [failure, setFailure] = useState<ApiFailure>();
  const discard = async (close: () => void) => {
    setDone(0);
    const failed = await discardAll(await targets(), reason.trim(), setDone);
    await onDone();
    if (failed) setFailure(failed);
    else close();
  };
  return (
    <Dialog title={`Discard ${number === 1 ? "this dead letter" : `${count(number)} dead letters`}?`} onClose={onClose}>
      {(close) => (
        <>
          <p>
            {number === 1 ? "Its event" : `These ${count(number)} events`} will not be sent to WorkOS. Your name and the
            reason are kept. You cannot take this back.
          </p>
          <div class="field">
            <label for="reason">Reason</label>
            <input
              id="reason"
              type="text"
              maxLength={500}
              autoComplete="off"
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </div>
          {done !== undefined && <progress max={number} value={done} aria-label="Discarded" />}
          <Failure failure={failure} what={`${count(done ?? 0)} discarded, then it failed`} />
          <div class="row end">
            <button type="button" onClick={close}>
              Cancel
            </button>
            <ActionButton
              kind="danger"
              disabled={reason.trim() === ""}
              onPress={() => discard(close)}
              onFailure={setFailure}
            >
              Discard
            </ActionButton>
          </div>
        </>
      )}
    </Dialog>
  );
}

/** Discards one after the other in a few lanes, and stops at the first failure, which it returns. */
async function discardAll(
  ids: readonly string[],
  reason: string,
  onProgress: (done: number) => void,
): Promise<ApiFailure | undefined> {
  const left = [...ids];
  let done = 0;
  let failure: ApiFailure | undefined;
  const lane = async () => {
    for (let id = left.pop(); id !== undefined && !failure; id = left.pop()) {
      try {
        await api.post(`/api/dead-letters/${encodeURIComponent(id)}/discard`, { reason });
        onProgress((done += 1));
      } catch (error) {
        failure = failureOf(error);
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return failure;
}
