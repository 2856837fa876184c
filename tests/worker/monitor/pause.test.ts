/** A wrong credential, and the same switch by hand: on the queue, the worker and the WorkOS stand-in. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ALERT_KEY, startAlertReceiver } from "../support/alerts.ts";
import { startDirect } from "../support/direct.ts";
import { startLocalPath, until, type LocalPath } from "../support/local-path.ts";
import { recordOf, recordsOf } from "../support/records.ts";

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
const isPausedAtQueue = async () => {
  const response = await fetch(`${path.queue.url}/v2/flowControl/workos`, {
    headers: { authorization: `Bearer ${path.queue.token}` },
  });
  return ((await response.json()) as { isPaused: boolean }).isPaused;
};
/** Those that no request has met yet. */
const faults = async () => (await fetch(`${path.queue.url}/__dev/faults`)).json() as Promise<object>;
const attemptsOf = async (id: string): Promise<number> => (await path.get(`/api/events/${id}`)).json.attempts.length;

describe.each([401, 403])("WorkOS answers %i", (status) => {
  it("pauses at once, tells people once, spends at most one attempt of a message, and goes on after resume", async () => {
    const records = recordsOf(30);
    path.workos.faults.add({ status, body: { message: "Unauthorized" } });
    for (const record of records) await path.publish([record]);
    await path.queue.idle();

    expect(await isPausedAtQueue()).toBe(true);
    expect(await health()).toMatchObject({
      status: "paused",
      paused: true,
      pause: { by: "credential", confirmed_by_queue: true, reason: `WorkOS refuses the API key (http_${status})` },
    });
    await until(alerts.seen, (seen) => seen.length > 0);
    for (const { id } of records) expect(await attemptsOf(id)).toBeLessThanOrEqual(1);
    const asked = path.workos.requests().length;

    // Neither time nor a restart lets anything through.
    await path.killWorker();
    await path.restartWorker();
    path.clock.advance(3_600_000);
    await path.queue.idle();
    expect(await health()).toMatchObject({ status: "paused" });
    expect(path.workos.requests()).toHaveLength(asked);

    path.workos.faults.clear();
    expect((await path.post("/api/resume")).json).toEqual({ paused: false, operator: "admin" });
    await path.queue.idle();
    path.clock.advance(60_000);
    await path.queue.idle();
    expect(path.workos.events()).toHaveLength(30);
    expect(new Set(path.workos.events().map(({ event }) => event.metadata?.["event_id"])).size).toBe(30);
    expect(await health()).toMatchObject({ status: "ok", paused: false });
    await until(alerts.seen, (seen) => seen.length === 2);
    expect(alerts.seen()).toEqual(["paused started", "paused ended"]);
  });
});

describe("an operator", () => {
  it("pauses and resumes, twice without a difference", async () => {
    for (let n = 0; n < 2; n++) {
      const { status, json } = await path.post("/api/pause");
      expect(status).toBe(200);
      expect(json).toMatchObject({ paused: true, pause: { by: "operator", confirmed_by_queue: true } });
    }
    expect(await isPausedAtQueue()).toBe(true);
    await path.publish(recordsOf(1));
    await path.queue.idle();
    expect(path.workos.requests()).toEqual([]);
    for (let n = 0; n < 2; n++)
      expect(await path.post("/api/resume")).toMatchObject({ status: 200, json: { paused: false } });
    await until(
      () => path.workos.events(),
      (events) => events.length === 1,
    );
    await until(alerts.seen, (seen) => seen.length === 2);
    expect(alerts.seen()).toEqual(["paused started", "paused ended"]);
  });

  it("resumes where the queue has forgotten the key, which is then not paused", async () => {
    await path.post("/api/pause");
    path.queue.setFaults({ flow_control: { status: 404 } });
    expect(await path.post("/api/resume")).toMatchObject({ status: 200, json: { paused: false } });
    expect(await health()).toMatchObject({ status: "ok", paused: false });
  });

  it("who resumes at the queue's own console is understood by the next sweep", async () => {
    await path.post("/api/pause");
    await path.switchFlow("resume");
    await path.scheduled();
    expect(await health()).toMatchObject({ status: "ok", paused: false });
  });

  it("who pauses at the queue's own console is understood by the next sweep, and people are told", async () => {
    await path.publish(recordsOf(1));
    await path.queue.idle();
    await path.switchFlow("pause");
    for (let n = 0; n < 2; n++) await path.scheduled();
    expect(await health()).toMatchObject({
      status: "paused",
      pause: { reason: "paused at QStash", by: "operator", confirmed_by_queue: true },
    });
    await until(alerts.seen, (seen) => seen.length === 1);
    await path.post("/api/resume");
    await path.scheduled();
    expect(await isPausedAtQueue()).toBe(false);
    expect(await health()).toMatchObject({ status: "ok", paused: false });
    await until(alerts.seen, (seen) => seen.length === 2);
    expect(alerts.seen()).toEqual(["paused started", "paused ended"]);
  });

  it("whose resume is cut off by a crash sees that delivery is still paused", async () => {
    await path.post("/api/pause");
    path.queue.setFaults({ flow_control: { hang: "before", times: 1 } });
    const resumed = path.post("/api/resume").catch(() => "cut off");
    await until(health, ({ paused }) => paused === false);
    // The worker asks for the keys first; only then does it meet the fault.
    await until(faults, (left) => !("flow_control" in left));
    await path.killWorker();
    await resumed;
    await path.restartWorker();
    await path.scheduled();
    expect(await isPausedAtQueue()).toBe(true);
    expect(await health()).toMatchObject({ status: "paused" });
    await path.post("/api/resume");
    expect(await isPausedAtQueue()).toBe(false);
  });

  it("whose resume fails before the queue has confirmed the pause still pauses in the end", async () => {
    const pauseAndResume = async () => {
      path.queue.setFaults({ flow_control: { status: 500, times: 1 } });
      await path.post("/api/pause");
      path.queue.setFaults({ flow_control: { delay_ms: 7_000, status: 500, times: 1 } });
      return (await path.post("/api/resume")).status;
    };
    // Where five seconds pass in between, the pause is asked for again first and meets the failure of the resume.
    expect(await until(pauseAndResume, (status) => status !== 200)).toBe(502);
    await until(isPausedAtQueue, (isPaused) => isPaused);
    await until(health, ({ pause }) => pause.confirmed_by_queue === true);
  });

  it("who resumes while the queue is still being asked to pause is not overtaken by that", async () => {
    path.queue.setFaults({ flow_control: { delay_ms: 2_000, times: 1 } });
    const paused = path.post("/api/pause");
    await until(health, (now) => now.paused === true);
    expect((await path.post("/api/resume")).status).toBe(200);
    expect((await paused).status).toBe(200);
    expect(await isPausedAtQueue()).toBe(false);
    expect(await health()).toMatchObject({ status: "ok", paused: false });
  });

  it("who pauses while the queue is still being asked to resume is not overtaken by that, and people are told", async () => {
    await path.post("/api/pause");
    await until(alerts.seen, (seen) => seen.length === 1);
    path.queue.setFaults({ flow_control: { delay_ms: 2_000, times: 1 } });
    const resumed = path.post("/api/resume");
    await until(health, (now) => now.paused === false);
    expect(await path.post("/api/pause")).toMatchObject({ json: { pause: { confirmed_by_queue: true } } });
    expect((await resumed).status).toBe(200);
    expect(await isPausedAtQueue()).toBe(true);
    expect(await health()).toMatchObject({ status: "paused", incidents: [{ kind: "paused" }] });
    await until(alerts.seen, (seen) => seen.length === 3);
    expect(alerts.seen()).toEqual(["paused started", "paused ended", "paused started"]);
  });

  it("who pauses while the queue does not say how it stands need not wait for that", async () => {
    await path.publish(recordsOf(1));
    await path.queue.idle();
    // One for the queue's dead letters and one for the key.
    path.queue.setFaults({ listing: { hang: "before", times: 2 } });
    const swept = path.scheduled().then(() => "swept");
    await until(faults, (left) => !("listing" in left));
    expect(await Promise.race([swept, path.post("/api/pause")])).toMatchObject({ status: 200 });
    expect(await isPausedAtQueue()).toBe(true);
    await swept;
    expect(await health()).toMatchObject({ status: "paused", paused: true });
  });

  it("who pauses and resumes many times at once leaves queue and worker of one mind", async () => {
    await Promise.all(Array.from({ length: 10 }, (_, n) => path.post(n % 2 ? "/api/pause" : "/api/resume")));
    expect(await isPausedAtQueue()).toBe((await health()).paused);
  });

  it("cannot resume while the queue does not answer, and is told so", async () => {
    await path.post("/api/pause");
    path.queue.setFaults({ flow_control: { status: 500 } });
    expect(await path.post("/api/resume")).toMatchObject({ status: 502, json: { code: "queue_unreachable" } });
    expect(await health()).toMatchObject({ status: "paused" });
  });
});

it("an alert that its receiver refuses is sent again", async () => {
  alerts.refuse(1);
  await path.post("/api/pause");
  // An alert goes out behind the answer.
  await until(alerts.refusals, (refusals) => refusals === 1);
  await until(alerts.seen, (seen) => seen.length === 1);
  expect(alerts.seen()).toEqual(["paused started"]);
});

it("a delivery during a pause is answered without asking WorkOS, and waits longer the later it is", async () => {
  const direct = await startDirect();
  try {
    await direct.admin("POST", "/api/pause");
    for (const [retried, retries, wait] of [
      ["0", "3", "30"],
      ["1", "3", "300"],
      ["1", "5", "300"],
      ["1", "", "300"],
      ["1", "99", "300"],
    ] as const) {
      const answer = await direct.deliver([recordOf()], { "upstash-retried": retried, "audit-retries": retries });
      expect(answer.status).toBe(503);
      expect(answer.json.code).toBe("paused");
      expect(answer.headers.get("retry-after")).toBe(wait);
    }
    expect(direct.workos.requests()).toEqual([]);
  } finally {
    await direct.stop();
  }
});
