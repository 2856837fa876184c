/** `GET /api/metrics` on real parts: what was delivered, retried and refused, also after the worker was killed. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { METRIC_SERIES, type MetricsAnswer, type MetricSeries } from "../../../shared/api.ts";
import { startLocalPath, until, type LocalPath } from "../support/local-path.ts";
import { recordOf } from "../support/records.ts";

let path: LocalPath;
beforeAll(async () => {
  path = await startLocalPath();
});
afterAll(() => path.stop());

async function metrics(): Promise<MetricsAnswer> {
  const { status, json } = await path.get("/api/metrics?step=60");
  expect(status).toBe(200);
  return json as MetricsAnswer;
}
const total = ({ series }: MetricsAnswer, name: MetricSeries) =>
  series[name].reduce((sum, [, count]) => sum + count, 0);
const counted = async () => {
  const answer = await metrics();
  return (["delivered", "retried", "refused"] as const).map((name) => total(answer, name));
};

it("counts by minute, samples states, and survives a kill", async () => {
  expect(Object.keys((await metrics()).series)).toEqual(METRIC_SERIES);
  for (const age of [200, 200, 60_000]) await path.publish([recordOf({ occurredAtMs: Date.now() - age })]);
  await path.queue.idle();
  path.workos.faults.add({ status: 422, body: { message: "m" }, times: 2 });
  for (let times = 0; times < 2; times++) await path.publish([recordOf()]);
  await path.queue.idle();
  path.workos.faults.clear();
  path.workos.faults.add({ status: 409, body: { message: "m" }, times: 1 });
  await path.publish([recordOf()]);
  await path.queue.idle();
  expect(await until(counted, ([, , refused]) => refused === 2)).toEqual([3, 1, 2]);

  const policies = async () => ((await path.get("/health")).json as { policies: unknown }).policies;
  const seen = [{ version: recordOf().gateway.policyVersion, last_seen_at: expect.any(String) }];
  expect(await policies()).toEqual(seen);

  await path.scheduled();
  const { series } = await metrics();
  expect(series.dead_letters_open.at(-1)?.[1]).toBe(2);
  expect(series.dead_letters_open_rejected.at(-1)?.[1]).toBe(2);
  expect(series.waiting.at(-1)?.[1]).toBeGreaterThanOrEqual(1);
  // The three deliveries may lie in two minutes.
  expect(Math.min(...series.age_p50_ms.map(([, ms]) => ms))).toBeLessThan(60_000 / 1.1);
  expect(Math.max(...series.age_p99_ms.map(([, ms]) => ms))).toBeGreaterThanOrEqual(60_000 / 1.1);
  for (const points of Object.values(series)) for (const [atS] of points) expect(atS % 60).toBe(0);

  await path.killWorker();
  await path.restartWorker();
  expect(await counted()).toEqual([3, 1, 2]);
  expect(await policies()).toEqual(seen);
});

it("refuses what it cannot answer", async () => {
  expect(await path.get("/api/metrics?step=61")).toMatchObject({ status: 400, json: { code: "invalid_request" } });
});
