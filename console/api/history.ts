/** The history behind the charts: the newest answer for a range, refreshed every minute. */
import { useEffect, useState } from "preact/hooks";
import { RANGES, type RangeName } from "../words/metrics.ts";
import type { MetricsAnswer } from "../../shared/api.ts";
import { api, type ApiFailure, failureOf } from "./client.ts";

/** The worker writes its counts once a minute. */
const REFRESH_MS = 60_000;

interface History {
  readonly metrics: MetricsAnswer;
  /** Unix seconds. */
  readonly from: number;
  readonly until: number;
}

/** The newest history of each range, so that Back shows it at once. */
const known = new Map<RangeName, History>();

/** Clears every history, because another person may sign in. */
export function forgetHistory(): void {
  known.clear();
}

interface HistoryResource {
  readonly history: History | undefined;
  readonly failure: ApiFailure | undefined;
  readonly reload: () => void;
}

/** The history of a range, which ends now. */
export function useHistory(range: RangeName): HistoryResource {
  const [state, setState] = useState<{ range?: RangeName; failure?: ApiFailure }>({});
  const [asked, ask] = useState(0);
  useEffect(() => {
    let isGone = false;
    const load = async () => {
      const failure = await loadHistory(range).then(
        (history) => void known.set(range, history),
        (error: unknown) => failureOf(error),
      );
      if (!isGone) setState({ range, ...(failure ? { failure } : {}) });
    };
    void load();
    const timer = setInterval(() => {
      if (!document.hidden) void load();
    }, REFRESH_MS);
    return () => {
      isGone = true;
      clearInterval(timer);
    };
  }, [range, asked]);
  return {
    history: known.get(range),
    failure: state.range === range ? state.failure : undefined,
    reload: () => ask(asked + 1),
  };
}

async function loadHistory(range: RangeName): Promise<History> {
  const { seconds, step } = RANGES[range];
  const until = (Math.floor(Date.now() / 1_000 / step) + 1) * step;
  const from = until - seconds;
  return {
    metrics: await api.get<MetricsAnswer>(`/api/metrics?from=${from}&until=${until}&step=${step}`),
    from,
    until,
  };
}
