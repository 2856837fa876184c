import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { call, openStage, type Stage } from "./stage.ts";

let stage: Stage;
let target: string;
beforeEach(async () => {
  stage = await openStage();
  target = `${stage.receiver.url}/deliver`;
});
afterEach(() => stage.close());

/** Sets faults the way another process does, without a token. */
async function setFaults(faults: unknown): Promise<{ status: number; json: unknown }> {
  return call({ ...stage.queue, token: "none" }, "POST", "/__dev/faults", { body: JSON.stringify(faults) });
}
const publish = (signal?: AbortSignal) =>
  fetch(`${stage.queue.url}/v2/publish/${target}`, {
    method: "POST",
    headers: { authorization: `Bearer ${stage.queue.token}` },
    body: "{}",
    ...(signal ? { signal } : {}),
  });
const delivered = async () => {
  await stage.queue.idle();
  return stage.receiver.received.length;
};

test.each([
  ["publish", "POST", "/v2/publish/https://example.com"],
  ["publish", "POST", "/v2/batch"],
  ["publish", "POST", "/v2/enqueue/q/https://example.com"],
  ["listing", "GET", "/v2/dlq"],
  ["listing", "GET", "/v2/dlq/1-1"],
  ["listing", "GET", "/v2/events"],
  ["listing", "GET", "/v2/messages/msg_1"],
  ["listing", "GET", "/v2/flowControl/k"],
  ["dlq", "POST", "/v2/dlq/retry"],
  ["dlq", "DELETE", "/v2/dlq/1-1"],
  ["messages", "DELETE", "/v2/messages"],
  ["flow_control", "POST", "/v2/flowControl/k/pause"],
  ["all", "GET", "/v2/dlq"],
])("the fault %s holds for %s %s, as often as it says", async (group, method, path) => {
  expect(await setFaults({ [group]: { status: 503, times: 2 } })).toMatchObject({ status: 200 });
  expect((await stage.call(method, path)).status).toBe(503);
  expect(await stage.call(method, path)).toMatchObject({ status: 503, json: { error: "fault: Service Unavailable" } });
  expect((await stage.call(method, path)).status).not.toBe(503);
});

test("a refused publish was not taken in", async () => {
  await setFaults({ publish: { status: 500 } });
  expect((await publish()).status).toBe(500);
  expect(await delivered()).toBe(0);
});

test("429 carries the burst limit's headers", async () => {
  await setFaults({ listing: { status: 429 } });
  const reply = await stage.call("GET", "/v2/dlq");
  expect(reply.headers.get("burst-ratelimit-limit")).toBe("100");
  expect(Number(reply.headers.get("burst-ratelimit-reset"))).toBeGreaterThan(Date.now() / 1000 - 60);
});

test("html answers 200 with a page, and takes nothing in", async () => {
  await setFaults({ publish: { html: true } });
  const response = await publish();
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html"]);
  expect(await response.text()).toContain("<html>");
  expect(await delivered()).toBe(0);
});

describe.each([
  ["before", 0],
  ["after", 1],
] as const)("%s the commit", (when, count) => {
  test(`a connection that breaks leaves ${count} messages`, async () => {
    await setFaults({ publish: { reset: when, times: 1 } });
    await expect(publish()).rejects.toThrow("fetch failed");
    expect(await delivered()).toBe(count);
  });

  test(`an answer that never comes leaves ${count} messages`, async () => {
    await setFaults({ publish: { hang: when, times: 1 } });
    const giveUp = new AbortController();
    const hanging = publish(giveUp.signal).catch((error: unknown) => error);
    // The queue answers others meanwhile, which also shows that the hanging one has come in.
    await expect.poll(async () => (await stage.call("GET", "/__dev/faults")).json).toEqual({});
    giveUp.abort();
    expect(await hanging).toMatchObject({ name: "AbortError" });
    expect(await delivered()).toBe(count);
  });
});

test("a delay holds the answer back and changes nothing else", async () => {
  await setFaults({ publish: { delay_ms: 20, times: 1 } });
  expect((await publish()).status).toBe(200);
  expect(await delivered()).toBe(1);
});

test("faults are told, changed one by one, and cleared", async () => {
  await setFaults({ publish: { status: 500 }, listing: { status: 429 }, drop_failure_callbacks: 3 });
  expect(await setFaults({ publish: null, forget_outcomes: true })).toMatchObject({
    json: { listing: { status: 429 }, drop_failure_callbacks: 3, forget_outcomes: true },
  });
  expect((await stage.call("DELETE", "/__dev/faults")).json).toEqual({});
  expect((await stage.call("GET", "/__dev/faults")).json).toEqual({});
  stage.queue.setFaults({ publish: { status: 500 } });
  stage.queue.clearFaults();
  expect((await publish()).status).toBe(200);
});

test.each([
  [{ publish: { status: 99 } }, "publish.status"],
  [{ publishing: {} }, "publishing"],
  [{ publish: { hang: "now" } }, "publish.hang"],
  [{ drop_failure_callbacks: -1 }, "drop_failure_callbacks"],
])("refuses the faults %j", async (faults, named) => {
  expect(await setFaults(faults)).toMatchObject({
    status: 400,
    json: { code: "bad_knob", error: expect.stringContaining(named) },
  });
});

describe("the clock knob", () => {
  test("moves the queue's time, and what became due goes out", async () => {
    await stage.client.publish({ url: target, delay: "20h" });
    const before = (await stage.call("GET", "/__dev/clock")).json.now;
    const body = JSON.stringify({ advance_ms: 72_000_000 });
    expect((await stage.call("POST", "/__dev/clock", { body })).json).toEqual({ now: before + 72_000_000 });
    expect((await stage.call("GET", "/__dev/idle")).json).toEqual({ idle: true });
    expect(stage.receiver.received).toHaveLength(1);
  });

  test.each([{}, { advance_ms: -1 }, { advance_ms: "1h" }, []])("refuses %j", async (body) => {
    expect(await stage.call("POST", "/__dev/clock", { body: JSON.stringify(body) })).toMatchObject({
      status: 400,
      json: { code: "bad_knob", error: '"advance_ms" must be a whole number of milliseconds, not negative' },
    });
  });

  test("says so when the clock cannot be moved", async () => {
    const fixed = await openStage({ clock: { now: () => Date.now(), wakeAt: () => () => {} } });
    try {
      expect(await fixed.call("POST", "/__dev/clock", { body: '{"advance_ms":1}' })).toMatchObject({
        status: 400,
        json: { error: "this queue was started with a clock that cannot be moved" },
      });
    } finally {
      await fixed.close();
    }
  });
});
