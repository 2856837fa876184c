/** The search in the header. An event id and a request id look alike, so it tries both. */
import { useEffect, useState } from "preact/hooks";
import type { EventAnswer } from "../../shared/event-answers.ts";
import type { FoundEvents } from "../api/answers.ts";
import { api, ApiFailure, failureOf } from "../api/client.ts";
import { go, recordAddress } from "../location.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Empty, Failure, Skeleton } from "../parts/notice.tsx";
import { OutsideText } from "../parts/outside-text.tsx";
import { StateTag } from "../parts/state-tag.tsx";
import { Time } from "../parts/time.tsx";
import { View } from "../parts/view.tsx";

const DAY_MS = 86_400_000;
/** How far back the wider search goes. Request ids have no index, so each day takes time. */
const WIDE_DAYS = 30;

/** Most records that the worker returns at once. */
const PAGE_LIMIT = "100";

export function Search({ wanted }: { readonly wanted: string }) {
  const [found, setFound] = useState<FoundEvents>();
  const [failure, setFailure] = useState<ApiFailure>();
  const [days, setDays] = useState(1);
  const look = async (lookDays: number) => {
    setFailure(undefined);
    try {
      if (await isEvent(wanted)) return go(recordAddress(wanted), { replace: true });
      const answer = await byRequest(wanted, lookDays);
      const [only, ...more] = answer.events;
      if (only && more.length === 0) return go(recordAddress(only.event_id), { replace: true });
      setFound(answer);
      setDays(lookDays);
    } catch (error) {
      setFailure(failureOf(error));
    }
  };
  useEffect(() => void look(1), []);
  return (
    <View title="Search">
      <p>
        Records of <OutsideText text={wanted || "nothing"} />
      </p>
      <Failure failure={failure} what="The search failed" onRetry={() => void look(days)} />
      {!found && !failure && <Skeleton lines={4} />}
      {found && found.events.length === 0 && (
        <Empty title="Nothing has this event id or request id.">
          <p>
            The worker has seen no such event. Requests were searched for the last{" "}
            {days === 1 ? "24 hours" : `${days} days`}. A record may also still wait in QStash.
          </p>
          {days === 1 && (
            <ActionButton onPress={() => look(WIDE_DAYS)} onFailure={setFailure}>
              Search the last {WIDE_DAYS} days
            </ActionButton>
          )}
        </Empty>
      )}
      {found && found.events.length > 0 && <Found events={found.events} />}
      {found?.cursor !== undefined && (
        <p>More records have this request id. These are the oldest; the CLI shows all of them, page by page.</p>
      )}
    </View>
  );
}

function Found({ events }: { readonly events: readonly EventAnswer[] }) {
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Event</th>
          <th scope="col">Captured</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {events.map(({ event_id: id, occurred_at: at, state }) => (
          <tr key={id}>
            <td data-label="Event">
              <a class="mono" href={recordAddress(id)}>
                <OutsideText text={id} />
              </a>
            </td>
            <td data-label="Captured">{at !== undefined && <Time at={at} />}</td>
            <td data-label="State">
              <StateTag state={state} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Whether the worker knows an event with this id. A string that is not a valid event id is never sent. */
async function isEvent(id: string): Promise<boolean> {
  try {
    const { state } = await api.get<EventAnswer>(`/api/events/${encodeURIComponent(id)}`);
    return state !== "unknown";
  } catch (error) {
    if (error instanceof ApiFailure && [400, 404].includes(error.status)) return false;
    throw error;
  }
}

function byRequest(id: string, days: number): Promise<FoundEvents> {
  const since = new Date(Date.now() - days * DAY_MS).toISOString();
  return api.get<FoundEvents>(`/api/events?${new URLSearchParams({ request_id: id, since, limit: PAGE_LIMIT })}`);
}
