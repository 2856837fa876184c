/** An outage of WorkOS on the real parts behind the gateway: the breaker opens, probes, resumes and ends by itself. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FIRST_PROBE_MS } from "../../../worker/monitor/breaker.ts";
import { ALERT_KEY, startAlertReceiver } from "../support/alerts.ts";
import { startLocalPath, until, type LocalPath } from "../support/local-path.ts";
import { recordsOf } from "../support/records.ts";

let path: LocalPath;
let alerts: Awaited<ReturnType<typeof startAlertReceiver>>;

beforeEach(async () => {
  alerts = await startAlertReceiver();
  path = await startLocalPath({ AUDIT_ALERT_URL: alerts.url, AUDIT_ALERT_KEY: ALERT_KEY });
});
afterEach(async () => {
  await path.stop();
  await alerts.stop();
});

const health = async () => (await path.get("/health")).json;
const fateOf = async (id: string) => (await path.get(`/api/events/${id}`)).json;
const askQueue = async <T>(route: string) => {
  const headers = { authorization: `Bearer ${path.queue.token}` };
  return (await fetch(`${path.queue.url}/v2/${route}`, { headers })).json() as Promise<T>;
};
/** The worker forgets a pause before the queue has resumed. */
const isPausedAtQueue = async () => (await askQueue<{ isPaused: boolean }>("flowControl/workos")).isPaused;
const attemptsOfQueue = async () =>
  (await askQueue<{ events: object[] }>("events?state=ACTIVE&count=1000")).events.length;
const metrics = async () => path.text("/metrics");

/** Publishes so many messages of one record each while WorkOS answers as `fault` says; resolves once delivery is paused. */
async function outage(count: number, fault: object) {
  path.workos.faults.add(fault);
  const records = recordsOf(count);
  for (const record of records) await path.publish([record]);
  await path.queue.idle();
  await until(health, ({ pause }) => pause?.confirmed_by_queue === true);
  return records;
}

const eventIds = () => path.workos.events().map(({ event }) => event.metadata?.["event_id"]);

describe("an outage of WorkOS", () => {
  it.each([
    ["503", { status: 503, body: { message: "m" } }],
    ["429", { status: 429, body: { message: "m" } }],
    ["a page with status 200", { html200: true }],
    ["no connection", { reset: "before_commit" }],
  ])("(%s) pauses delivery, and everything arrives after it without a person", async (_, fault) => {
    const startMs = Date.now();
    const records = await outage(60, fault);
    expect(await health()).toMatchObject({
      status: "paused",
      paused: true,
      pause: { by: "breaker", reason: "WorkOS is down", confirmed_by_queue: true },
      incidents: [{ kind: "destination_down" }],
    });
    const { since, next_probe_at: next } = (await health()).pause;
    expect(Date.parse(since)).toBeGreaterThanOrEqual(startMs);
    expect(Date.parse(next) - Date.parse(since)).toBeGreaterThanOrEqual(9_000);
    await until(alerts.seen, (seen) => seen.length === 1);

    path.workos.faults.clear();
    await path.advanceWorker(FIRST_PROBE_MS);
    await until(isPausedAtQueue, (isPaused) => !isPaused);
    await path.queue.idle();
    path.clock.advance(60_001);
    await path.queue.idle();
    expect(new Set(eventIds())).toEqual(new Set(records.map(({ id }) => id)));
    expect(path.workos.events()).toHaveLength(60);
    // Under one key each, so that WorkOS would have known a second one.
    for (const { idempotency_key: key, event_id: id } of path.workos.requests()) expect(key).toBe(id);
    expect(await health()).toMatchObject({ status: "ok", incidents: [] });
    await until(alerts.seen, (seen) => seen.length === 2);
    expect(alerts.seen()).toEqual(["destination_down started", "destination_down ended"]);
    expect(await metrics()).toMatch(/^audit_breaker_opened_total 1$/m);
    expect(await metrics()).toMatch(/^audit_probes_total\{outcome="up"\} 1$/m);
    expect((await path.get("/api/dead-letters")).json.dead_letters).toEqual([]);
  });

  it("spends no attempt of the queue while it lasts, and a probe is a real delivery", async () => {
    const records = await outage(10, { status: 503, body: { message: "m" } });
    const asked = path.workos.requests().length;
    const attempts = await attemptsOfQueue();
    expect(attempts).toBeGreaterThanOrEqual(5);
    // An hour later nothing was delivered by the queue.
    path.clock.advance(3_600_000);
    await path.queue.idle();
    expect(await attemptsOfQueue()).toBe(attempts);
    // The probe of 10 s later fails, and the next one is due a minute after it.
    await path.advanceWorker(FIRST_PROBE_MS);
    await until(health, ({ pause }) => Date.parse(pause.next_probe_at) - Date.now() > 30_000);
    const probes = await until(
      () => path.workos.requests().slice(asked),
      (requests) => requests.length > 0,
    );
    expect(probes).toHaveLength(1);
    expect(probes[0]?.same_body ?? true).toBe(true);
    const probed = await until(
      () => fateOf(probes[0]?.event_id ?? ""),
      ({ attempts }) => attempts.length === 2,
    );
    expect(probed).toMatchObject({ state: "pending", attempts: [{ n: 1 }, { n: 2, outcome: "retry" }] });
    expect(records.map(({ id }) => id)).toContain(probed.event_id);
  });

  it("ends with an event that nobody has tried, even if the one that opened the breaker fails for ever", async () => {
    const [poisoned, ...others] = recordsOf(21);
    if (!poisoned) throw new Error("no record");
    const [packed, single] = [others.slice(0, 19), others.slice(19)];
    // These wait from the beginning: the first probe comes 10 s after the breaker opens, however long publishing takes.
    await path.switchFlow("pause");
    await path.publish(single);
    // The newest message that waits holds several records, and before it one whose outcome may still come.
    await path.publish(packed);
    const intents = recordsOf(1, { stage: "intent" });
    await path.publish(intents, { "upstash-delay": "200s" });
    path.workos.faults.add({ match: { event_id: poisoned.id }, status: 500 });
    const headers = { "upstash-retries": "4", "upstash-retry-delay": "1000", "upstash-flow-control-key": "poisoned" };
    await path.publish([poisoned], headers);
    for (let attempts = 1; attempts <= 5; attempts++) {
      await path.queue.idle();
      path.clock.advance(1_001);
    }
    await until(health, ({ pause }) => pause?.confirmed_by_queue === true);
    // Its attempts are used up, so that the ledger has no event left to probe with.
    await until(
      async () => (await path.get("/api/dead-letters")).json.dead_letters,
      (letters) => letters.length === 1,
    );
    await path.advanceWorker(FIRST_PROBE_MS);
    await until(isPausedAtQueue, (isPaused) => !isPaused);
    const probed = path.workos.requests().find(({ event_id: id }) => id !== poisoned.id);
    expect(packed.map(({ id }) => id)).toContain(probed?.event_id);
    await path.queue.idle();
    expect(new Set(eventIds())).toEqual(new Set([...packed, ...single].map(({ id }) => id)));
    expect(path.workos.events()).toHaveLength(packed.length + single.length);
  });

  it("survives a kill of the worker", async () => {
    const records = await outage(6, { status: 503, body: { message: "m" } });
    const { pause } = await health();
    await path.killWorker();
    await path.restartWorker();
    const kept = (await health()).pause;
    // After a slow start the next probe has begun, and sets the one after it.
    const isProbed = Date.parse(pause.next_probe_at) <= Date.now();
    expect(kept).toEqual(isProbed ? { ...pause, next_probe_at: kept.next_probe_at } : pause);
    path.workos.faults.clear();
    await path.advanceWorker(FIRST_PROBE_MS);
    await until(isPausedAtQueue, (isPaused) => !isPaused);
    await path.queue.idle();
    path.clock.advance(60_001);
    await path.queue.idle();
    expect(new Set(eventIds())).toEqual(new Set(records.map(({ id }) => id)));
  });
});

describe("an operator", () => {
  it("who resumes closes the breaker at once", async () => {
    await outage(6, { status: 503, body: { message: "m" } });
    path.workos.faults.clear();
    expect((await path.post("/api/resume")).json).toMatchObject({ paused: false });
    expect(await health()).toMatchObject({ status: "ok", paused: false, incidents: [] });
  });

  it("whose pause outranks the breaker is not overruled by a probe", async () => {
    await outage(6, { status: 503, body: { message: "m" } });
    expect((await path.post("/api/pause")).json).toMatchObject({ pause: { by: "operator", confirmed_by_queue: true } });
    const asked = path.workos.requests().length;
    path.workos.faults.clear();
    await path.advanceWorker(FIRST_PROBE_MS + 2_000);
    await path.scheduled();
    expect(await health()).toMatchObject({ status: "paused", pause: { by: "operator" } });
    expect((await health()).pause).not.toHaveProperty("next_probe_at");
    expect(path.workos.requests()).toHaveLength(asked);
  });
});

describe("a page with 403", () => {
  it("for one event is a retry of that event, and its neighbours go on", async () => {
    const records = recordsOf(20);
    const blocked = records[7]?.id ?? "";
    path.workos.faults.add({ match: { event_id: blocked }, status: 403, body: "<html>blocked</html>" });
    await path.publish(records);
    await path.queue.idle();
    expect(path.workos.events()).toHaveLength(19);
    expect(await health()).toMatchObject({ status: "ok", paused: false });
    expect(await fateOf(blocked)).toMatchObject({
      state: "pending",
      attempts: [{ outcome: "retry", wrote: "maybe", reason: "http_403 not_workos" }],
    });
  });

  it("for all is a refused credential once the probe meets it too", async () => {
    await outage(6, { status: 403, body: "<html>blocked</html>" });
    await path.advanceWorker(FIRST_PROBE_MS);
    await until(health, ({ pause }) => pause.by === "credential");
    expect(await health()).toMatchObject({
      pause: { reason: "WorkOS refuses the API key (http_403 not_workos)", confirmed_by_queue: true },
    });
  });
});
