/** One replay: its progress, its controls, the result of each record, and the receipt. */
import { useState } from "preact/hooks";
import type { ReplayAnswer } from "../../shared/replay-answers.ts";
import type { ReplayItems } from "../api/answers.ts";
import { api, type ApiFailure } from "../api/client.ts";
import { useResource } from "../api/resource.ts";
import { addressOf, recordAddress } from "../location.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { saveFile } from "../parts/file.ts";
import { Failure, Skeleton } from "../parts/notice.tsx";
import { OutsideText } from "../parts/outside-text.tsx";
import { ReplayProgress } from "../parts/replay-progress.tsx";
import { StateTag } from "../parts/state-tag.tsx";
import { Time } from "../parts/time.tsx";
import { View } from "../parts/view.tsx";
import { useMay } from "../session.tsx";
import { count } from "../words/metrics.ts";
import { skipWords } from "../words/reasons.ts";
import { replayWords } from "../words/replay.ts";

const REFRESH_MS = 1_000;

export function ReplayView({ id }: { readonly id: string }) {
  const path = `/api/replays/${encodeURIComponent(id)}`;
  const [isOver, setOver] = useState(false);
  const { data, failure, reload } = useResource<ReplayAnswer>(path, isOver ? undefined : REFRESH_MS);
  if (!isOver && data?.state === "done") setOver(true);
  return (
    <View title="Replay" actions={data && <StateTag state={data.state} />}>
      <p class="mono subject">
        <OutsideText text={id} />
      </p>
      <Failure failure={failure} what="The replay could not be loaded" onRetry={() => void reload()}>
        <a class="button" href={addressOf("/replays")}>
          See the others
        </a>
      </Failure>
      {!data && !failure && <Skeleton lines={6} />}
      {data && <Progress replay={data} onChange={reload} />}
      {data && <Items key={data.state} id={id} total={data.progress.total} isLive={!isOver} />}
    </View>
  );
}

interface ProgressProps {
  readonly replay: ReplayAnswer;
  readonly onChange: () => Promise<void>;
}

function Progress({ replay, onChange }: ProgressProps) {
  return (
    <section class="card" aria-label="Progress">
      <p class="lead">{replayWords(replay)}</p>
      <ReplayProgress replay={replay} />
      <p class="quiet">
        {replay.name !== undefined && (
          <>
            <OutsideText text={replay.name} /> ·{" "}
          </>
        )}
        started by <OutsideText text={replay.by} /> on <Time at={replay.created_at} /> · {count(replay.rate)} a second
        {replay.finished_at !== undefined && (
          <>
            {" "}
            · done on <Time at={replay.finished_at} />
          </>
        )}
      </p>
      <Controls replay={replay} onChange={onChange} />
    </section>
  );
}

function Controls({ replay, onChange }: ProgressProps) {
  const may = useMay("operate");
  const [failure, setFailure] = useState<ApiFailure>();
  const [isAsking, setAsking] = useState(false);
  const { id, state, receipt, progress } = replay;
  const act = (verb: "pause" | "resume" | "cancel") => async () => {
    await api.post(`/api/replays/${encodeURIComponent(id)}/${verb}`);
    await onChange();
  };
  const isHeld = state === "paused" || state === "stopped";
  const left = progress.total - progress.skipped - progress.published;
  return (
    <>
      <div class="row">
        {may && state === "running" && (
          <ActionButton onPress={act("pause")} onFailure={setFailure}>
            Pause
          </ActionButton>
        )}
        {may && isHeld && (
          <ActionButton kind="primary" onPress={act("resume")} onFailure={setFailure}>
            Resume
          </ActionButton>
        )}
        {may && (state === "running" || isHeld) && (
          <button type="button" onClick={() => setAsking(true)}>
            Cancel
          </button>
        )}
        {receipt && (
          <button
            type="button"
            onClick={() => saveFile(`receipt-${id}.json`, "application/json", `${JSON.stringify(receipt, null, 2)}\n`)}
          >
            Download the receipt
          </button>
        )}
      </div>
      <Failure failure={failure} what="The replay was not changed" />
      {isAsking && (
        <Dialog title="Cancel this replay?" onClose={() => setAsking(false)}>
          {(close) => (
            <>
              <p>
                {count(left)} that are not sent yet will be skipped. They stay dead letters, and you can plan them
                again.
              </p>
              <div class="row end">
                <button type="button" onClick={close}>
                  Keep it running
                </button>
                <ActionButton
                  kind="danger"
                  onPress={async () => (await act("cancel")(), close())}
                  onFailure={setFailure}
                >
                  Cancel the replay
                </ActionButton>
              </div>
            </>
          )}
        </Dialog>
      )}
    </>
  );
}

interface ItemsProps {
  readonly id: string;
  readonly total: number;
  readonly isLive: boolean;
}

/** The result of each record. A long list is loaded on demand. */
function Items({ id, total, isLive }: ItemsProps) {
  const path = `/api/replays/${encodeURIComponent(id)}/items?limit=100`;
  const { data, failure, reload } = useResource<ReplayItems>(path, isLive ? 2 * REFRESH_MS : undefined);
  const [more, setMore] = useState<ReplayItems>();
  const [failed, setFailed] = useState<ApiFailure>();
  const items = [...(data?.items ?? []), ...(more?.items ?? [])];
  const cursor = more ? more.cursor : data?.cursor;
  const load = async () => {
    const page = await api.get<ReplayItems>(`${path}&cursor=${encodeURIComponent(cursor ?? "")}`);
    setMore({ ...page, items: [...(more?.items ?? []), ...page.items] });
  };
  return (
    <section aria-label="Records">
      <h2>Records</h2>
      <Failure failure={failure} what="The records could not be loaded" onRetry={() => void reload()} />
      {!data && !failure && <Skeleton lines={4} />}
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">Event</th>
            <th scope="col">Outcome</th>
            <th scope="col">Ended</th>
          </tr>
        </thead>
        <tbody>
          {items.map(({ event_id, outcome, reason, ended_at }) => (
            <tr key={event_id}>
              <td data-label="Event">
                <a class="mono" href={recordAddress(event_id)}>
                  <OutsideText text={event_id} />
                </a>
              </td>
              <td data-label="Outcome">
                <StateTag state={outcome} /> {reason !== undefined && <span class="quiet">{skipWords(reason)}</span>}
              </td>
              <td data-label="Ended" class="time">
                {ended_at !== undefined && <Time at={ended_at} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Failure failure={failed} what="More could not be loaded" />
      <div class="row">
        {cursor !== undefined && (
          <ActionButton onPress={load} onFailure={setFailed}>
            Load more
          </ActionButton>
        )}
        <span class="quiet">
          {count(items.length)} of {count(total)} shown
        </span>
      </div>
    </section>
  );
}
