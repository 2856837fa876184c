/** The replays, newest first. */
import { useState } from "preact/hooks";
import type { ReplayAnswer } from "../../shared/replay-answers.ts";
import type { ReplayPage } from "../api/answers.ts";
import { api, type ApiFailure } from "../api/client.ts";
import { useResource } from "../api/resource.ts";
import { addressOf } from "../location.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Empty, Failure, Skeleton } from "../parts/notice.tsx";
import { OutsideText } from "../parts/outside-text.tsx";
import { ReplayProgress } from "../parts/replay-progress.tsx";
import { StateTag } from "../parts/state-tag.tsx";
import { Time } from "../parts/time.tsx";
import { View } from "../parts/view.tsx";

const REFRESH_MS = 3_000;

export function Replays() {
  const { data, failure, reload } = useResource<ReplayPage>("/api/replays?limit=50", REFRESH_MS);
  const [older, setOlder] = useState<ReplayPage>({ replays: [] });
  const [failed, setFailed] = useState<ApiFailure>();
  const cursor = older.replays.length > 0 ? older.cursor : data?.cursor;
  const more = async () => {
    const page = await api.get<ReplayPage>(`/api/replays?limit=50&cursor=${encodeURIComponent(cursor ?? "")}`);
    setOlder({ ...page, replays: [...older.replays, ...page.replays] });
  };
  return (
    <View title="Replays">
      <Failure failure={failure} what="The replays could not be loaded" onRetry={() => void reload()} />
      {!data && !failure && <Skeleton lines={6} />}
      {data?.replays.length === 0 && (
        <Empty title="Nothing was replayed yet.">
          <p>A replay sends dead letters again. Start one from the list of dead letters.</p>
        </Empty>
      )}
      {data && data.replays.length > 0 && <Table replays={[...data.replays, ...older.replays]} />}
      <Failure failure={failed} what="The older ones could not be loaded" />
      {cursor !== undefined && (
        <div>
          <ActionButton onPress={more} onFailure={setFailed}>
            Load more
          </ActionButton>
        </div>
      )}
    </View>
  );
}

function Table({ replays }: { readonly replays: readonly ReplayAnswer[] }) {
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Replay</th>
          <th scope="col">Started</th>
          <th scope="col">By</th>
          <th scope="col">Progress</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {replays.map((replay) => (
          <tr key={replay.id}>
            <td data-label="Replay">
              {replay.name !== undefined && (
                <p>
                  <OutsideText text={replay.name} />
                </p>
              )}
              <a class="mono" href={addressOf(`/replays/${replay.id}`)}>
                {replay.id}
              </a>
            </td>
            <td data-label="Started" class="time">
              <Time at={replay.created_at} />
            </td>
            <td data-label="By">
              <OutsideText text={replay.by} />
            </td>
            <td data-label="Progress">
              <ReplayProgress replay={replay} />
            </td>
            <td data-label="State">
              <StateTag state={replay.state} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
