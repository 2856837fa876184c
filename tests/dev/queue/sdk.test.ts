import { QstashRatelimitError, Receiver as SignatureReceiver } from "@upstash/qstash";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { openStage, type Answer, type Stage } from "./stage.ts";

let stage: Stage;
let target: string;
beforeAll(async () => {
  stage = await openStage();
  target = `${stage.receiver.url}/deliver`;
});
afterAll(() => stage.close());
beforeEach(async () => {
  await stage.client.messages.cancel({ all: true });
  await stage.queue.idle();
  stage.receiver.received.length = 0;
  stage.receiver.answer = () => ({});
});

const receiver = () =>
  new SignatureReceiver({
    currentSigningKey: stage.queue.currentSigningKey,
    nextSigningKey: stage.queue.nextSigningKey,
    devMode: false,
  });

test("the official development credentials are the default", () => {
  expect(stage.queue).toMatchObject({
    token: "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=",
    currentSigningKey: "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
    nextSigningKey: "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs",
  });
});

/** Publishes and returns the signature that arrived. */
async function deliver(url: string, body: string): Promise<string> {
  await stage.client.publish({ url, body });
  await stage.queue.idle();
  return String(stage.receiver.received.at(-1)?.headers["upstash-signature"]);
}

describe("a delivery's signature", () => {
  test.each(["", "{}", "späß \u{1F600}"])("is accepted by the official receiver for the body %j", async (body) => {
    const url = `${target}?a=1`;
    const signature = await deliver(url, body);
    expect(await receiver().verify({ signature, body, url })).toBe(true);
  });

  test("is refused for another body or another url", async () => {
    const signature = await deliver(target, "one");
    await expect(receiver().verify({ signature, body: "two", url: target })).rejects.toThrow(
      "body hash does not match",
    );
    await expect(receiver().verify({ signature, body: "one", url: `${target}/` })).rejects.toThrow("invalid subject");
  });

  test("carries the documented claims, in real time however far the queue's clock was moved", async () => {
    stage.clock.advance(20 * 3_600_000);
    const signature = await deliver(target, "{}");
    const [header, claims] = signature
      .split(".")
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, "base64url").toString()));
    expect(header).toEqual({ alg: "HS256", typ: "JWT" });
    expect(claims).toEqual({
      iss: "Upstash",
      sub: target,
      iat: expect.any(Number),
      exp: claims.iat + 300,
      nbf: 0,
      jti: expect.stringMatching(/^jwt_\w+$/),
      body: "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o=",
    });
    expect(Math.abs(claims.iat - Date.now() / 1000)).toBeLessThan(60);
    expect(await receiver().verify({ signature, body: "{}", url: target })).toBe(true);
  });

  test("goes by another clock where one is given", async () => {
    const moved = await openStage({ signingClock: { now: () => 1_000_000_000_000 } });
    try {
      await moved.client.publish({ url: moved.receiver.url, body: "{}" });
      await moved.queue.idle();
      const signature = String(moved.receiver.received[0]?.headers["upstash-signature"]);
      expect(JSON.parse(Buffer.from(signature.split(".")[1] ?? "", "base64url").toString())).toMatchObject({
        iat: 1_000_000_000,
        exp: 1_000_000_300,
      });
    } finally {
      await moved.close();
    }
  });
});

test("publishJSON with every setting is shown by messages.get as the SDK's types say", async () => {
  const notBefore = Math.ceil(stage.clock.now() / 1000) + 3600;
  const { messageId } = await stage.client.publishJSON({
    url: `${target}?x=1`,
    method: "PUT",
    body: { a: "ä" },
    headers: { "x-trace": "t" },
    notBefore,
    retries: 2,
    retryDelay: "1000 * (1 + retried)",
    timeout: 20,
    deduplicationId: "sdk-1",
    callback: "https://example.com/cb",
    failureCallback: "https://example.com/dead",
    label: ["audit", "org_1"],
    flowControl: { key: "workos", rate: 50, parallelism: 10, period: "2s" },
  });
  expect(await stage.client.messages.get(messageId)).toMatchObject({
    messageId,
    url: `${target}?x=1`,
    method: "PUT",
    header: { "Content-Type": ["application/json"], "X-Trace": ["t"] },
    body: '{"a":"ä"}',
    maxRetries: 2,
    notBefore: notBefore * 1000,
    createdAt: stage.clock.now(),
    callback: "https://example.com/cb",
    failureCallback: "https://example.com/dead",
    callerIP: "127.0.0.1",
    label: "audit",
    labels: ["audit", "org_1"],
    flowControlKey: "workos",
    rate: 50,
    parallelism: 10,
    period: 2,
    retryDelayExpression: "1000 * (1 + retried)",
  });
  const again = await stage.client.publishJSON({ url: target, body: 1, deduplicationId: "sdk-1" });
  expect(again).toEqual({ messageId, deduplicated: true });
});

test("batchJSON answers for each element", async () => {
  const answers = await stage.client.batchJSON([
    { url: target, body: { n: 1 }, headers: { "x-n": "1" } },
    { url: "no-scheme", body: { n: 2 } },
    { url: target, body: { n: 3 }, queueName: "q1", delay: "1h" },
  ]);
  expect(answers).toEqual([
    { messageId: expect.any(String) },
    { error: "invalid destination url: endpoint has invalid scheme, add http:// or https://" },
    { messageId: expect.any(String) },
  ]);
  await stage.queue.idle();
  expect(stage.receiver.received.map((got) => got.headers["x-n"])).toEqual(["1"]);
});

const later = (extra: object = {}, path = "") =>
  stage.client.publishJSON({ url: target + path, body: {}, delay: 3600, ...extra });

describe("messages.cancel", () => {
  test("one message, which is then gone and never delivered", async () => {
    const { messageId } = await later();
    expect(await stage.client.messages.cancel(messageId)).toEqual({ cancelled: 1 });
    const gone = { status: 404, json: { error: `message ${messageId} not found` } };
    expect(await stage.call("GET", `/v2/messages/${messageId}`)).toMatchObject(gone);
    expect(await stage.call("DELETE", `/v2/messages/${messageId}`)).toMatchObject(gone);
    stage.clock.advance(3_600_000);
    await stage.queue.idle();
    expect(stage.receiver.received).toEqual([]);
  });

  test.each<[string, object, string[]]>([
    ["label", { label: ["a", "b"] }, ["one", "two"]],
    ["flow-control key", { flowControlKey: "k" }, ["two"]],
    ["queue", { queueName: "q2" }, ["three"]],
    ["path", { path: "/deliver/p" }, ["one"]],
    ["two fields at once", { label: "b", queueName: "q2" }, []],
  ])("by %s", async (_, filter, names) => {
    const ids: Record<string, string> = {
      one: (await later({ label: "a" }, "/p")).messageId,
      two: (await later({ label: "b", flowControl: { key: "k", rate: 1 } })).messageId,
      three: (await stage.client.queue({ queueName: "q2" }).enqueueJSON({ url: target, body: {}, delay: 3600 }))
        .messageId,
    };
    expect(await stage.client.messages.cancel({ filter } as never)).toEqual({ cancelled: names.length });
    for (const [name, id] of Object.entries(ids)) {
      const reply = await stage.call("GET", `/v2/messages/${id}`);
      expect([name, reply.status]).toEqual([name, names.includes(name) ? 404 : 200]);
    }
  });

  test.each([
    { request: { all: true, count: 1 }, cancelled: 1, left: ["second", "other"] },
    { request: { filter: { label: "a" }, count: 1 }, cancelled: 1, left: ["second", "other"] },
    { request: { filter: { label: "a" }, count: 5 }, cancelled: 2, left: ["other"] },
    { request: { all: true, count: 2 }, cancelled: 2, left: ["other"] },
    { request: { all: true, count: 0 }, cancelled: 0, left: ["first", "second", "other"] },
    { request: { all: true }, cancelled: 3, left: [] },
  ])("of at most as many as count says, oldest first: $request", async ({ request, cancelled, left }) => {
    const ids = {
      first: (await later({ label: "a" })).messageId,
      second: (await later({ label: "a" })).messageId,
      other: (await later({ label: "b" })).messageId,
    };
    expect(await stage.client.messages.cancel(request as never)).toEqual({ cancelled });
    const found = await Promise.all(
      Object.entries(ids).map(async ([name, id]) => ({ name, ...(await stage.call("GET", `/v2/messages/${id}`)) })),
    );
    expect(found.filter(({ status }) => status === 200).map(({ name }) => name)).toEqual(left);
  });

  test("of all that match where no count is named, and refuses a count that is no number", async () => {
    const batch = Array.from({ length: 120 }, () => ({ destination: target, headers: { "upstash-delay": "1h" } }));
    await stage.call("POST", "/v2/batch", { body: JSON.stringify(batch) });
    expect(await stage.call("DELETE", "/v2/messages?count=many")).toMatchObject({
      status: 400,
      json: { error: "invalid count: must be a whole number" },
    });
    expect((await stage.call("DELETE", "/v2/messages")).json).toEqual({ cancelled: 120 });
  });

  test("of one under way cannot stop the attempt, but the retries", async () => {
    const held = Promise.withResolvers<Answer>();
    stage.receiver.answer = () => held.promise;
    const { messageId } = await stage.client.publish({ url: target, body: "x" });
    await expect.poll(() => stage.receiver.open).toBe(1);
    expect(await stage.client.messages.cancel([messageId])).toEqual({ cancelled: 1 });
    held.resolve({ status: 500 });
    await stage.queue.idle();
    stage.clock.advance(86_400_000);
    await stage.queue.idle();
    expect(stage.receiver.received).toHaveLength(1);
    expect((await stage.client.dlq.listMessages()).messages).toEqual([]);
  });
});

describe("logs", () => {
  test("tell a message's whole way, newest first", async () => {
    stage.receiver.answer = ({ headers }) => (headers["upstash-retried"] === "0" ? { status: 500, body: "no" } : {});
    const { messageId } = await stage.client.publishJSON({
      url: target,
      body: { a: 1 },
      label: "l",
      retryDelay: "1000",
    });
    await stage.queue.idle();
    stage.clock.advance(1000);
    await stage.queue.idle();
    const { logs } = await stage.client.logs({ messageIds: [messageId] });
    expect(logs.map((log) => log.state)).toEqual(["DELIVERED", "ACTIVE", "RETRY", "ERROR", "ACTIVE", "CREATED"]);
    expect(logs[3]).toMatchObject({
      messageId,
      url: target,
      nextDeliveryTime: stage.clock.now(),
      responseStatus: 500,
      responseBody: Buffer.from("no").toString("base64"),
      body: Buffer.from('{"a":1}').toString("base64"),
      labels: ["l"],
      maxRetries: 3,
    });
    expect(logs[0]).not.toHaveProperty("responseStatus");
    const inProgress = await stage.client.logs({ filter: { label: "l", state: "IN_PROGRESS" } });
    expect(inProgress.logs).toHaveLength(4);
  });

  test("come in pages, and under the docs' name too", async () => {
    await stage.client.publishJSON({ url: target, body: 1, label: "paged" });
    await stage.queue.idle();
    const states: string[] = [];
    let cursor: string | undefined;
    do {
      const page: Awaited<ReturnType<typeof stage.client.logs>> = await stage.client.logs({
        count: 2,
        filter: { label: "paged" },
        ...(cursor === undefined ? {} : { cursor }),
      });
      states.push(...page.logs.map((log) => log.state));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(states).toEqual(["DELIVERED", "ACTIVE", "CREATED"]);
    const { logs } = (await stage.call("GET", "/v2/logs?label=paged&state=CREATED")).json;
    expect(logs).toMatchObject([{ state: "CREATED" }]);
    expect(await stage.call("GET", "/v2/events?cursor=x")).toMatchObject({
      status: 400,
      json: { error: "invalid cursor" },
    });
  });

  test("say that a message was cancelled, however the SDK spells it", async () => {
    const { messageId } = await stage.client.publish({ url: target, delay: 60 });
    await stage.client.messages.cancel(messageId);
    const all = await stage.client.logs({ messageIds: [messageId] });
    expect(all.logs.map((log) => log.state)).toEqual(["CANCELLED", "CANCEL_REQUESTED", "CREATED"]);
    const { logs } = await stage.client.logs({ filter: { state: "CANCELED" } });
    expect(logs[0]?.messageId).toBe(messageId);
  });
});

describe("a queue", () => {
  test("delivers in order, the next one only after the retries of the one before", async () => {
    stage.receiver.answer = ({ body, headers }) =>
      body.toString() === "0" && headers["upstash-retried"] === "0" ? { status: 500 } : {};
    const queue = stage.client.queue({ queueName: "fifo" });
    for (const body of ["0", "1", "2"]) await queue.enqueue({ url: target, body, retryDelay: "5000" });
    await stage.queue.idle();
    expect(stage.receiver.received).toHaveLength(1);
    expect(await queue.get()).toMatchObject({ name: "fifo", parallelism: 1, lag: 3, paused: false });
    stage.clock.advance(5000);
    await stage.queue.idle();
    expect(stage.receiver.received.map((got) => got.body.toString())).toEqual(["0", "0", "1", "2"]);
    expect(stage.receiver.mostOpen).toBeGreaterThan(0);
    expect(stage.receiver.received[0]?.headers["upstash-queue-name"]).toBe("fifo");
  });

  test("can be made, changed, paused, resumed, listed and deleted", async () => {
    const queue = stage.client.queue({ queueName: "managed" });
    await queue.upsert({ parallelism: 2 });
    await queue.pause();
    await queue.enqueue({ url: target, body: "held" });
    await stage.queue.idle();
    expect(stage.receiver.received).toEqual([]);
    expect(await queue.get()).toMatchObject({ parallelism: 2, paused: true, lag: 1 });
    await queue.resume();
    await stage.queue.idle();
    expect(stage.receiver.received).toHaveLength(1);
    expect((await queue.list()).map(({ name }) => name)).toContain("managed");
    await queue.delete();
    expect(await stage.call("GET", "/v2/queues/managed")).toMatchObject({
      status: 404,
      json: { error: "queue managed not found" },
    });
  });

  test("refuses a name or a parallelism that QStash would refuse", async () => {
    expect(await stage.call("POST", `/v2/enqueue/a%20b/${target}`)).toMatchObject({ status: 400 });
    const body = JSON.stringify({ queueName: "q", parallelism: 0 });
    expect(await stage.call("POST", "/v2/queues", { body })).toMatchObject({
      status: 400,
      json: { error: "invalid queue: needs a queueName and a parallelism greater than 0" },
    });
  });
});

test("keys are told and rotated; both old and new receivers take what is signed afterwards", async () => {
  const before = (await stage.call("GET", "/v2/keys")).json;
  const after = (await stage.call("POST", "/v2/keys/rotate")).json;
  expect(after).toEqual({ current: before.next, next: expect.stringMatching(/^sig_/) });
  expect(after.next).not.toBe(before.next);
  await stage.client.publish({ url: target, body: "{}" });
  await stage.queue.idle();
  const signature = String(stage.receiver.received[0]?.headers["upstash-signature"]);
  expect(await receiver().verify({ signature, body: "{}", url: target })).toBe(true);
  const deployed = new SignatureReceiver({
    currentSigningKey: after.current,
    nextSigningKey: after.next,
    devMode: false,
  });
  expect(await deployed.verify({ signature, body: "{}", url: target })).toBe(true);
});

test("a listing that is limited throws the SDK's own error", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  stage.queue.setFaults({ listing: { status: 429, times: 1 } });
  await expect(stage.client.dlq.listMessages()).rejects.toThrow(QstashRatelimitError);
  await expect(stage.client.dlq.listMessages()).resolves.toMatchObject({ messages: [] });
});
