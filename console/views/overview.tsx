/** Overview: the state of delivery, what is wrong and what to do, and how many events went through. */
import { useState } from "preact/hooks";
import type { Health } from "../api/answers.ts";
import { api, type ApiFailure } from "../api/client.ts";
import { ActionButton } from "../parts/action-button.tsx";
import { Failure, Skeleton } from "../parts/notice.tsx";
import { OutsideText } from "../parts/outside-text.tsx";
import { Time } from "../parts/time.tsx";
import { View } from "../parts/view.tsx";
import { useMay } from "../session.tsx";
import { useHealth } from "../shell.tsx";
import { deliveryWords, PAUSING, RESUMING } from "../words/delivery.ts";
import { Charts } from "./charts.tsx";
import { Incidents } from "./incidents.tsx";

export function Overview({ query }: { readonly query: URLSearchParams }) {
  const { data: health, failure, reload } = useHealth();
  return (
    <View title="Overview">
      <Delivery health={health} failure={failure} onChange={reload} />
      <Incidents health={health} />
      <Charts query={query} />
    </View>
  );
}

interface DeliveryProps {
  readonly health: Health | undefined;
  readonly failure: ApiFailure | undefined;
  readonly onChange: () => Promise<void>;
}

/** The banner: the state of delivery, and the button that changes it. */
function Delivery({ health, failure, onChange }: DeliveryProps) {
  const may = useMay("operate");
  const [failed, setFailed] = useState<ApiFailure>();
  const { tone, long } = deliveryWords(health, failure);
  if (!health && !failure) return <Skeleton lines={2} />;
  const isPaused = health?.paused === true;
  const change = async () => {
    await api.post(isPaused ? "/api/resume" : "/api/pause");
    await onChange();
  };
  return (
    <section class={`banner ${tone}`} aria-label="Delivery">
      <p class="lead">{long}</p>
      {health?.pause && (
        <p>
          Since <Time at={health.pause.since} />: <OutsideText text={health.pause.reason} />.{" "}
          {health.pause.next_probe_at !== undefined && (
            <>
              Next probe: <Time at={health.pause.next_probe_at} />.{" "}
            </>
          )}
          {!health.pause.confirmed_by_queue &&
            "QStash has not confirmed the pause yet; the worker turns deliveries away."}
        </p>
      )}
      {may && health && (
        <div class="row">
          <ActionButton kind={isPaused ? "primary" : "secondary"} onPress={change} onFailure={setFailed}>
            {isPaused ? "Resume delivery" : "Pause delivery"}
          </ActionButton>
          <span class="quiet">{isPaused ? RESUMING : PAUSING}</span>
        </div>
      )}
      <Failure failure={failed} what={isPaused ? "Delivery is still paused" : "Delivery was not paused"} />
    </section>
  );
}
