import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStage, until, type Answer, type Stage } from "./stage.ts";

let stage: Stage;
let target: string;
beforeEach(async () => {
  stage = await openStage();
  target = `${stage.receiver.url}/deliver`;
});
afterEach(() => stage.close());

type Flow = { key: string; rate: number; period?: number; parallelism?: number };
async function publish(count: number, flowControl: Flow): Promise<void> {
  for (let n = 0; n < count; n += 1) await stage.client.publishJSON({ url: target, body: { n }, flowControl });
}

/** Answers only once it is told to. */
function holdAnswers(): () => void {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  stage.receiver.answer = () => promise;
  return () => resolve({});
}

test("no more than the rate are begun in one period, and the rest follow in order", async () => {
  // One at a time, because those of one period begin together and may overtake one another on their connections.
  await publish(7, { key: "k", rate: 3, period: 10, parallelism: 1 });
  const arrived = () => stage.receiver.received.length;
  await until(() => arrived() === 3);
  expect(await stage.client.flowControl.get("k")).toMatchObject({
    flowControlKey: "k",
    waitListSize: 4,
    rateMax: 3,
    ratePeriod: 10,
    rateCount: 3,
    ratePeriodStart: Math.floor(stage.clock.now() / 1000),
  });
  stage.clock.advance(9_999);
  await until(async () => (await stage.client.flowControl.getGlobalParallelism()).parallelismCount === 0);
  expect(arrived()).toBe(3);
  stage.clock.advance(1);
  await until(() => arrived() === 6);
  stage.clock.advance(10_000);
  await stage.queue.idle();
  expect(stage.receiver.received.map((got) => JSON.parse(got.body.toString()).n)).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test("no more than the parallelism are under way, and the destination learns of the limits", async () => {
  const release = holdAnswers();
  for (let n = 0; n < 9; n += 1) {
    await stage.client.publishJSON({ url: target, body: n, flowControl: { key: "k", parallelism: 2 } });
  }
  await until(() => stage.receiver.open === 2);
  expect(await stage.client.flowControl.get("k")).toMatchObject({
    parallelismMax: 2,
    parallelismCount: 2,
    waitListSize: 7,
  });
  expect(await stage.client.flowControl.getGlobalParallelism()).toEqual({ parallelismMax: 100, parallelismCount: 2 });
  release();
  await stage.queue.idle();
  expect(stage.receiver.received).toHaveLength(9);
  expect(stage.receiver.mostOpen).toBe(2);
  expect(stage.receiver.received[0]?.headers).toMatchObject({
    "upstash-flow-control-key": "k",
    "upstash-flow-control-value": "parallelism=2",
  });
});

describe("a paused key", () => {
  test("holds everything back without spending a retry, and lets it go on resume", async () => {
    stage.receiver.answer = () => ({ status: 503 });
    await publish(1, { key: "k", rate: 100 });
    await stage.queue.idle();
    await stage.client.flowControl.pause("k");
    await publish(5, { key: "k", rate: 100 });
    await stage.client.publishJSON({ url: `${stage.receiver.url}/other`, body: 1 });
    stage.clock.advance(20 * 3_600_000);
    await stage.queue.idle();
    expect(stage.receiver.at("/deliver")).toHaveLength(1);
    expect(stage.receiver.at("/other")).toHaveLength(1);
    expect(await stage.client.flowControl.get("k")).toMatchObject({ isPaused: true, waitListSize: 6 });

    stage.receiver.answer = () => ({});
    await stage.client.flowControl.resume("k");
    await stage.queue.idle();
    const retried = stage.receiver.at("/deliver").map((got) => got.headers["upstash-retried"]);
    expect(Map.groupBy(retried, String)).toMatchObject(
      new Map([
        ["0", Array(6).fill("0")],
        ["1", ["1"]],
      ]),
    );
    expect(await stage.client.flowControl.get("k")).toMatchObject({ isPaused: false, waitListSize: 0 });
  });

  test("can be paused before anyone has used it", async () => {
    await stage.client.flowControl.pause("new");
    await publish(1, { key: "new", rate: 1 });
    await stage.queue.idle();
    expect(stage.receiver.received).toEqual([]);
  });

  test("lets an attempt under way end", async () => {
    const release = holdAnswers();
    await publish(1, { key: "k", rate: 10 });
    await until(() => stage.receiver.open === 1);
    await stage.client.flowControl.pause("k");
    release();
    await stage.queue.idle();
    expect((await stage.client.logs({ filter: { state: "DELIVERED" } })).logs).toHaveLength(1);
  });

  test("holds back what a dead-letter retry sends with the same key", async () => {
    stage.receiver.answer = () => ({ status: 489, headers: { "Upstash-NonRetryable-Error": "true" } });
    await publish(1, { key: "k", rate: 10 });
    await stage.queue.idle();
    await stage.client.flowControl.pause("k");
    await stage.client.dlq.retry({ all: true });
    await stage.queue.idle();
    expect(stage.receiver.received).toHaveLength(1);
    expect(await stage.client.flowControl.get("k")).toMatchObject({ waitListSize: 1 });
  });
});

describe("pinning", () => {
  test("holds limits against what later messages say, until they are unpinned", async () => {
    await publish(1, { key: "k", rate: 5, parallelism: 5 });
    await stage.client.flowControl.pin("k", { rate: 1, period: 60 });
    await publish(1, { key: "k", rate: 50, parallelism: 7 });
    expect(await stage.client.flowControl.get("k")).toMatchObject({
      rateMax: 1,
      ratePeriod: 60,
      parallelismMax: 7,
      isPinnedRate: true,
      isPinnedParallelism: false,
    });
    await stage.client.flowControl.unpin("k", { rate: true });
    expect(await stage.client.flowControl.get("k")).toMatchObject({ rateMax: 1, isPinnedRate: false });
    await publish(1, { key: "k", rate: 50, parallelism: 7 });
    expect(await stage.client.flowControl.get("k")).toMatchObject({ rateMax: 50, ratePeriod: 1 });
  });

  test("and resetRate start the rate anew at once", async () => {
    await publish(3, { key: "k", rate: 1, period: 3600 });
    await until(() => stage.receiver.received.length === 1);
    await stage.client.flowControl.resetRate("k");
    await until(() => stage.receiver.received.length === 2);
    await stage.client.flowControl.pin("k", { rate: 1, period: 3600 });
    await stage.queue.idle();
    expect(stage.receiver.received).toHaveLength(3);
  });

  test.each([
    ["", "parallelism or rate must be given"],
    ["?period=5", "parallelism or rate must be given"],
    ["?rate=0", "invalid rate: must be a positive whole number"],
    ["?parallelism=-3", "invalid parallelism: must be a positive whole number"],
    ["?rate=1&period=604801", "invalid period: must be at most 7d"],
  ])("refuses %j", async (query, error) => {
    expect(await stage.call("POST", `/v2/flowControl/k/pin${query}`)).toMatchObject({ status: 400, json: { error } });
  });
});

test("keys are listed, one nobody has used is not found, and odd names survive the path", async () => {
  await stage.client.publishJSON({ url: target, body: 1, flowControl: { key: "a/b c", rate: 2 } });
  expect((await stage.call("GET", "/v2/flowControl")).json).toMatchObject([{ flowControlKey: "a/b c", rateMax: 2 }]);
  expect((await stage.call("GET", "/v2/flowControl/a%2Fb%20c")).json).toMatchObject({ rateMax: 2 });
  expect(await stage.call("GET", "/v2/flowControl/none")).toMatchObject({
    status: 404,
    json: { error: "flow control key none not found" },
  });
});

test("a busy key does not hold up messages without one", async () => {
  const release = holdAnswers();
  await publish(3, { key: "k", rate: 10, parallelism: 1 });
  await until(() => stage.receiver.open === 1);
  await stage.client.publishJSON({ url: `${stage.receiver.url}/free`, body: 1 });
  await until(() => stage.receiver.at("/free").length === 1);
  expect(stage.receiver.at("/deliver")).toHaveLength(1);
  release();
  await stage.queue.idle();
});

test("no more than the plan's parallelism are under way over all keys", async () => {
  const small = await openStage({ parallelism: 3 });
  try {
    for (let n = 0; n < 10; n += 1) await small.client.publishJSON({ url: `${small.receiver.url}/${n % 2}`, body: n });
    await small.queue.idle();
    expect(small.receiver.received).toHaveLength(10);
    expect(small.receiver.mostOpen).toBeLessThanOrEqual(3);
  } finally {
    await small.close();
  }
});
