import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { scheduledDelay } from "../../../../dev/queue/delivery/backoff.ts";
import { openStage, until, type Stage } from "../stage.ts";

let stage: Stage;
let target: string;
beforeEach(async () => {
  stage = await openStage();
  target = `${stage.receiver.url}/deliver`;
});
afterEach(() => stage.close());

const retried = () => stage.receiver.received.map((got) => Number(got.headers["upstash-retried"]));
const publish = (headers: Record<string, string> = {}) =>
  stage.call("POST", `/v2/publish/${target}`, { headers, body: "{}" });
const deadLetters = async () => (await stage.client.dlq.listMessages()).messages;

/** Expects the next attempt after exactly `ms`, and not a millisecond before. */
async function expectAttemptAfter(ms: number): Promise<void> {
  const before = stage.receiver.received.length;
  stage.clock.advance(ms - 1);
  await stage.queue.idle();
  expect(stage.receiver.received).toHaveLength(before);
  stage.clock.advance(1);
  await stage.queue.idle();
  expect(stage.receiver.received).toHaveLength(before + 1);
}

test("retries on QStash's schedule, counts in Upstash-Retried, and ends in the dead-letter queue", async () => {
  stage.receiver.answer = () => ({ status: 500, body: "no", headers: { "x-why": "down" } });
  await publish({ "upstash-retries": "5" });
  await stage.queue.idle();
  for (const n of [1, 2, 3, 4, 5]) await expectAttemptAfter(scheduledDelay(n));
  expect(retried()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(await deadLetters()).toMatchObject([
    { responseStatus: 500, responseBody: "no", responseHeader: { "X-Why": ["down"] }, maxRetries: 5 },
  ]);
  stage.clock.advance(90_000_000);
  await stage.queue.idle();
  expect(stage.receiver.received).toHaveLength(6);
});

test("makes three retries when nothing was said, and none at 0", async () => {
  stage.receiver.answer = () => ({ status: 404 });
  await publish({ "upstash-retries": "0" });
  await stage.queue.idle();
  expect(await deadLetters()).toHaveLength(1);
  await publish({ "upstash-retry-delay": "1000" });
  await stage.queue.idle();
  for (let n = 0; n < 5; n += 1) {
    stage.clock.advance(1000);
    await stage.queue.idle();
  }
  expect(retried()).toEqual([0, 0, 1, 2, 3]);
});

test("follows the message's own delays and tells the destination of them", async () => {
  stage.receiver.answer = () => ({ status: 503 });
  await publish({ "upstash-retry-delay": "1000 * (1 + retried)", "upstash-retries": "3" });
  await stage.queue.idle();
  for (const ms of [1000, 2000, 3000]) await expectAttemptAfter(ms);
  expect(stage.receiver.received[0]?.headers).toMatchObject({
    "upstash-retry-delay": "1000 * (1 + retried)",
    "upstash-max-retries": "3",
  });
});

test.each([
  ["Retry-After", "90", 90_000],
  ["Retry-After", "1h2m", 3_720_000],
  ["X-RateLimit-Reset", "45", 45_000],
  ["Retry-After", "90000", scheduledDelay(1)],
])("an answer with %s: %s is followed", async (name, value, ms) => {
  stage.receiver.answer = () =>
    stage.receiver.received.length === 1 ? { status: 429, headers: { [name]: value } } : {};
  await publish();
  await stage.queue.idle();
  await expectAttemptAfter(ms);
  expect(retried()).toEqual([0, 1]);
});

test("an answer with Retry-After: 0 is followed at once", async () => {
  stage.receiver.answer = () =>
    stage.receiver.received.length === 1 ? { status: 429, headers: { "Retry-After": "0" } } : {};
  await publish();
  await stage.queue.idle();
  expect(retried()).toEqual([0, 1]);
});

test("Retry-After as a date is read by the queue's own clock", async () => {
  const date = new Date(Math.ceil(stage.clock.now() / 1000) * 1000 + 60_000);
  stage.receiver.answer = () => ({ status: 503, headers: { "Retry-After": date.toUTCString() } });
  await publish({ "upstash-retries": "1" });
  await stage.queue.idle();
  await expectAttemptAfter(date.getTime() - stage.clock.now());
  expect(retried()).toEqual([0, 1]);
});

describe("489", () => {
  test("with Upstash-NonRetryable-Error ends at once", async () => {
    stage.receiver.answer = () => ({ status: 489, headers: { "Upstash-NonRetryable-Error": "true" }, body: "bad" });
    await publish({ "upstash-retries": "5" });
    await stage.queue.idle();
    expect(await deadLetters()).toMatchObject([{ responseStatus: 489, responseBody: "bad" }]);
  });

  test.each([
    ["489 alone", 489, {}],
    ["the header on another status", 400, { "Upstash-NonRetryable-Error": "true" }],
    ["a client error", 422, {}],
  ])("%s is retried", async (_, status, headers) => {
    stage.receiver.answer = () => ({ status, headers });
    await publish();
    await stage.queue.idle();
    expect(await deadLetters()).toEqual([]);
    await expectAttemptAfter(scheduledDelay(1));
  });
});

test("a redirect is not followed, and counts as a failure", async () => {
  stage.receiver.answer = () => ({ status: 302, headers: { Location: "/elsewhere" } });
  await publish({ "upstash-retries": "0" });
  await stage.queue.idle();
  expect(stage.receiver.at("/elsewhere")).toEqual([]);
  expect(await deadLetters()).toMatchObject([{ responseStatus: 302 }]);
});

test.each([200, 201, 202, 204, 299])("status %d is a success", async (status) => {
  stage.receiver.answer = () => ({ status });
  const { json } = await publish();
  await stage.queue.idle();
  expect(await deadLetters()).toEqual([]);
  expect(await stage.call("GET", `/v2/messages/${json.messageId}`)).toMatchObject({ status: 404 });
});

test("an attempt is given up after Upstash-Timeout", async () => {
  stage.receiver.answer = () => new Promise(() => {});
  await publish({ "upstash-timeout": "1s", "upstash-retries": "0" });
  await until(async () => (await deadLetters()).length === 1);
  const [dead] = await deadLetters();
  expect(dead).not.toHaveProperty("responseStatus");
  expect(dead?.responseBody).toBe("timeout");
});

test("a destination that cannot be reached is retried, then dead", async () => {
  await stage.call("POST", "/v2/publish/http://127.0.0.1:1/", { headers: { "upstash-retries": "1" } });
  await stage.queue.idle();
  stage.clock.advance(scheduledDelay(1));
  await stage.queue.idle();
  const { logs } = await stage.client.logs({ filter: { state: "ERROR" } });
  expect(logs.map((log) => log.error)).toEqual([
    expect.stringMatching(/ECONNREFUSED/),
    expect.stringMatching(/ECONNREFUSED/),
  ]);
  expect(await deadLetters()).toHaveLength(1);
});

test("an outcome that was lost brings the same attempt again: at least once, counted once", async () => {
  stage.queue.setFaults({ forget_outcomes: 2 });
  await publish();
  await stage.queue.idle();
  expect(retried()).toEqual([0, 0, 0]);
});
