import { Receiver as SignatureReceiver } from "@upstash/qstash";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openStage, type Received, type Stage } from "../stage.ts";

let stage: Stage;
let base: string;
beforeEach(async () => {
  stage = await openStage();
  base = stage.receiver.url;
});
afterEach(() => stage.close());

const json = (got: Received | undefined) => JSON.parse(got?.body.toString() ?? "null");
const base64 = (text: string) => Buffer.from(text).toString("base64");
const fails = () => {
  stage.receiver.answer = ({ path }) =>
    path === "/deliver" ? { status: 400, headers: { "x-reason": "bad" }, body: "no\n" } : {};
};

test("a failure callback comes once, after the last attempt, with everything about it", async () => {
  fails();
  const { messageId } = await stage.client.publish({
    url: `${base}/deliver`,
    body: "payload",
    retries: 1,
    headers: { "content-type": "text/plain", "x-a": "1" },
    failureCallback: `${base}/dead`,
  });
  await stage.queue.idle();
  expect(stage.receiver.at("/dead")).toEqual([]);
  stage.clock.advance(20_000);
  await stage.queue.idle();
  const [dead] = (await stage.client.dlq.listMessages()).messages;
  expect(stage.receiver.at("/dead")).toHaveLength(1);
  expect(json(stage.receiver.at("/dead")[0])).toEqual({
    status: 400,
    header: expect.objectContaining({ "X-Reason": ["bad"] }),
    body: base64("no\n"),
    retried: 1,
    maxRetries: 1,
    dlqId: dead?.dlqId,
    sourceMessageId: messageId,
    url: `${base}/deliver`,
    method: "POST",
    sourceHeader: { "Content-Type": ["text/plain"], "X-A": ["1"] },
    sourceBody: base64("payload"),
    notBefore: dead?.notBefore,
    createdAt: dead?.createdAt,
    callerIP: "127.0.0.1",
  });
  expect(dead).toMatchObject({ dlqId: expect.stringMatching(/^\d+-\d+$/), failureCallback: `${base}/dead` });
});

test("a callback is signed for its own url, and has settings of its own", async () => {
  fails();
  await stage.call("POST", `/v2/publish/${base}/deliver`, {
    headers: {
      "upstash-retries": "0",
      "upstash-failure-callback": `${base}/dead?from=queue`,
      "upstash-failure-callback-method": "PUT",
      "upstash-failure-callback-retries": "7",
      "upstash-failure-callback-forward-x-secret": "s",
      "upstash-failure-callback-delay": "1m",
    },
  });
  await stage.queue.idle();
  expect(stage.receiver.at("/dead?from=queue")).toEqual([]);
  stage.clock.advance(60_000);
  await stage.queue.idle();
  const [got] = stage.receiver.at("/dead?from=queue");
  expect(got).toMatchObject({
    method: "PUT",
    headers: { "x-secret": "s", "content-type": "application/json", "upstash-max-retries": "7" },
  });
  const receiver = new SignatureReceiver({
    currentSigningKey: stage.queue.currentSigningKey,
    nextSigningKey: stage.queue.nextSigningKey,
    devMode: false,
  });
  const signature = String(got?.headers["upstash-signature"]);
  const body = got?.body.toString() ?? "";
  expect(await receiver.verify({ signature, body, url: `${base}/dead?from=queue` })).toBe(true);
});

test("a plain callback comes after every attempt, without a dlqId", async () => {
  stage.receiver.answer = ({ path, headers }) =>
    path === "/deliver" && headers["upstash-retried"] === "0" ? { status: 500 } : {};
  await stage.client.publish({ url: `${base}/deliver`, callback: `${base}/seen` });
  await stage.queue.idle();
  stage.clock.advance(20_000);
  await stage.queue.idle();
  const seen = stage.receiver.at("/seen").map(json);
  expect(seen).toMatchObject([
    { status: 500, retried: 0 },
    { status: 200, retried: 1 },
  ]);
  expect(seen[1]).not.toHaveProperty("dlqId");
});

test("a callback to an unreachable destination says so with status 0 and the error", async () => {
  await stage.client.publish({ url: "http://127.0.0.1:1/", retries: 0, failureCallback: `${base}/dead` });
  await stage.queue.idle();
  const body = json(stage.receiver.at("/dead")[0]);
  expect(body.status).toBe(0);
  expect(Buffer.from(body.body, "base64").toString()).toMatch(/ECONNREFUSED/);
});

test("a failure callback that fails is retried as the message was, and ends in the dead-letter queue itself", async () => {
  stage.receiver.answer = () => ({ status: 500 });
  await stage.client.publish({
    url: `${base}/deliver`,
    retries: 1,
    retryDelay: "1000",
    failureCallback: `${base}/dead`,
  });
  for (let n = 0; n < 4; n += 1) {
    await stage.queue.idle();
    stage.clock.advance(20_000);
  }
  await stage.queue.idle();
  expect(stage.receiver.at("/dead")).toHaveLength(2);
  const { messages } = await stage.client.dlq.listMessages();
  expect(messages.map((message) => message.url)).toEqual([`${base}/deliver`, `${base}/dead`]);
});

test("failure callbacks can be lost: so many, or all", async () => {
  fails();
  const publish = () => stage.client.publish({ url: `${base}/deliver`, retries: 0, failureCallback: `${base}/dead` });
  stage.queue.setFaults({ drop_failure_callbacks: 1 });
  await publish();
  await stage.queue.idle();
  await publish();
  await stage.queue.idle();
  expect(stage.receiver.at("/dead")).toHaveLength(1);
  stage.queue.setFaults({ drop_failure_callbacks: true });
  await publish();
  await publish();
  await stage.queue.idle();
  expect(stage.receiver.at("/dead")).toHaveLength(1);
  expect((await stage.client.dlq.listMessages()).messages).toHaveLength(4);
});
