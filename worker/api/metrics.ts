/** `GET /api/metrics`: how many events were delivered, retried and refused over time, and how many waited. */
import type { RouteContext, Route } from "../http/route.ts";
import { jsonAnswer } from "../http/answers.ts";
import { liveGauges } from "../health/live-gauges.ts";
import { monitor } from "../monitor/client.ts";
import { HOUR_S, slotOf } from "../monitor/history.ts";
import { tellHistory } from "../monitor/history-client.ts";
import { seriesOf } from "../monitor/series.ts";
import { parseMetricsQuery } from "./metrics-query.ts";

/** Age at which a sample of the states is refreshed, because an operator is watching. Our choice. */
const SAMPLE_AGE_MS = 60_000;
export const metricsHistoryRoutes: readonly Route[] = [
  { method: "GET", path: "/api/metrics", access: "read", handle: metrics },
];

async function metrics({ env, url }: RouteContext): Promise<Response> {
  const nowMs = env.clock.now();
  const range = parseMetricsQuery(url.searchParams, nowMs);
  await tellHistory(env);
  const table = range.stepS < HOUR_S ? "minutes" : "hours";
  const { sampledMs } = await monitor(env).status();
  const isLive = range.untilS * 1_000 > nowMs;
  if (isLive && nowMs - sampledMs > SAMPLE_AGE_MS) await monitor(env).sampled(await liveGauges(env));
  const slots = await monitor(env).history(table, slotOf(range.fromS, range.stepS), range.untilS);
  return jsonAnswer(seriesOf(slots, range));
}
