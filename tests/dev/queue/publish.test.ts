import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStage, type Stage } from "./stage.ts";

let stage: Stage;
let target: string;
beforeAll(async () => {
  stage = await openStage({ maxRetries: 5, maxMessageBytes: 2000 });
  target = `${stage.receiver.url}/deliver`;
});
afterAll(() => stage.close());
beforeEach(async () => {
  // What a test before has left on its way.
  await stage.queue.idle();
  stage.receiver.received.length = 0;
});

const publish = (destination: string, headers: Record<string, string> = {}, body: string | Uint8Array = "{}") =>
  stage.call("POST", `/v2/publish/${destination}`, { headers, body });

test("delivers the body byte for byte, with the forwarded headers and QStash's own", async () => {
  const body = Buffer.from([0, 255, 10, 13, 195, 40]);
  const reply = await publish(
    target,
    {
      "content-type": "application/octet-stream",
      "upstash-method": "PUT",
      "upstash-forward-x-trace": "t1",
      "upstash-forward-authorization": "Bearer secret",
      "x-not-forwarded": "1",
    },
    body,
  );
  expect(reply).toMatchObject({ status: 200, json: { messageId: expect.stringMatching(/^msg_\w+$/) } });
  await stage.queue.idle();
  expect(stage.receiver.received).toHaveLength(1);
  const [got] = stage.receiver.at("/deliver");
  expect(got).toMatchObject({
    method: "PUT",
    body,
    headers: {
      "content-type": "application/octet-stream",
      "x-trace": "t1",
      authorization: "Bearer secret",
      "user-agent": "Upstash-QStash",
      "upstash-message-id": reply.json.messageId,
      "upstash-retried": "0",
      "upstash-max-retries": "3",
      "upstash-caller-ip": "127.0.0.1",
      "upstash-region": "EU-CENTRAL-1",
      "upstash-signature": expect.any(String),
    },
  });
  expect(got?.headers).not.toHaveProperty("x-not-forwarded");
});

test("a forwarded header cannot stand in for one of QStash's own", async () => {
  await publish(target, { "upstash-forward-upstash-message-id": "msg_forged", "upstash-forward-upstash-retried": "9" });
  await stage.queue.idle();
  expect(stage.receiver.received[0]?.headers).toMatchObject({
    "upstash-message-id": expect.not.stringContaining("forged"),
    "upstash-retried": "0",
  });
});

describe("the destination", () => {
  test("keeps its query as it was sent", async () => {
    await publish(`${target}?b=2&a=%20x&a=`);
    await stage.queue.idle();
    expect(stage.receiver.received[0]?.path).toBe("/deliver?b=2&a=%20x&a=");
  });

  test("may be percent-encoded, as some clients send it", async () => {
    await publish(encodeURIComponent(`${target}?a=1`));
    await publish(`${encodeURIComponent(target)}?b=2&upstash-retries=1`);
    await stage.queue.idle();
    expect(stage.receiver.received.map((got) => got.path).toSorted()).toEqual(["/deliver?a=1", "/deliver?b=2"]);
  });

  test("does not get QStash's own parameters", async () => {
    const reply = await stage.call("POST", `/v2/publish/${target}?a=1&upstash-retries=5&upstash-forward-x-q=7`, {
      body: "x",
    });
    expect(reply.status).toBe(200);
    await stage.queue.idle();
    const [got] = stage.receiver.received;
    expect(got?.path).toBe("/deliver?a=1");
    expect(got?.headers).toMatchObject({ "upstash-max-retries": "5", "x-q": "7" });
  });

  test("gets every header when Upstash-Header-Forward says so, but not the token", async () => {
    await publish(target, { "upstash-header-forward": "true", "x-plain": "1" });
    await stage.queue.idle();
    expect(stage.receiver.received[0]?.headers).toMatchObject({ "x-plain": "1" });
    expect(stage.receiver.received[0]?.headers).not.toHaveProperty("authorization");
  });
});

const flowError =
  "Upstash-Flow-Control-Value should be either rate=X or parallelism=Y, or both as comma-separated values";
test.each<[string, Record<string, string>, number, string]>([
  ["retries that are no number", { "upstash-retries": "many" }, 400, "invalid Upstash-Retries: must be a whole number"],
  ["negative retries", { "upstash-retries": "-1" }, 400, "invalid Upstash-Retries: must be a whole number"],
  ["retries over the plan", { "upstash-retries": "6" }, 412, "quota maxRetries exceeded"],
  [
    "an unknown method",
    { "upstash-method": "TRACE" },
    400,
    "invalid Upstash-Method: must be one of GET, POST, PUT, PATCH, DELETE",
  ],
  [
    "a delay without a unit it knows",
    { "upstash-delay": "3 weeks" },
    400,
    "invalid Upstash-Delay: must be a number with a unit, such as 10s, 5m, 2h or 1d",
  ],
  [
    "a timeout it cannot read",
    { "upstash-timeout": "-1s" },
    400,
    "invalid Upstash-Timeout: must be a number with a unit, such as 10s, 5m, 2h or 1d",
  ],
  [
    "a date as not-before",
    { "upstash-not-before": "2026-11-24" },
    400,
    "invalid Upstash-Not-Before: must be a whole number",
  ],
  [
    "a retry delay it cannot read",
    { "upstash-retry-delay": "fast(retried)" },
    400,
    'invalid Upstash-Retry-Delay: "fast" was not expected',
  ],
  [
    "a callback without a scheme",
    { "upstash-callback": "example.com" },
    400,
    "invalid Upstash-Callback url: endpoint has invalid scheme, add http:// or https://",
  ],
  [
    "a failure callback that is no url",
    { "upstash-failure-callback": "https://" },
    400,
    "invalid Upstash-Failure-Callback url: endpoint is not a valid url",
  ],
  [
    "a wrong setting for a callback",
    { "upstash-callback": "https://example.com", "upstash-callback-retries": "x" },
    400,
    "invalid Upstash-Retries: must be a whole number",
  ],
  ["a deduplication id with a colon", { "upstash-deduplication-id": "a:b" }, 400, "DeduplicationId cannot contain ':'"],
  ["a flow-control key alone", { "upstash-flow-control-key": "k" }, 400, flowError],
  [
    "a flow control it does not know",
    { "upstash-flow-control-key": "k", "upstash-flow-control-value": "speed=3" },
    400,
    flowError,
  ],
  ["a rate of nothing", { "upstash-flow-control-key": "k", "upstash-flow-control-value": "rate=0" }, 400, flowError],
  [
    "a period without a limit",
    { "upstash-flow-control-key": "k", "upstash-flow-control-value": "period=1s" },
    400,
    flowError,
  ],
  [
    "a period over a week",
    { "upstash-flow-control-key": "k", "upstash-flow-control-value": "rate=1, period=8d" },
    400,
    "invalid Upstash-Flow-Control-Value: period must be between 1s and 7d",
  ],
  [
    "a field that cannot be redacted",
    { "upstash-redact-fields": "body,url" },
    400,
    "invalid Upstash-Redact-Fields: must be body, headers or header[name]",
  ],
])("refuses %s", async (_, headers, status, error) => {
  const reply = await publish(target, headers);
  expect(reply).toMatchObject({ status, json: { error } });
});

test.each([
  ["example.com/deliver", "invalid destination url: endpoint has invalid scheme, add http:// or https://"],
  ["my-url-group", "invalid destination url: endpoint has invalid scheme, add http:// or https://"],
  ["ftp://example.com", "invalid destination url: endpoint has invalid scheme, add http:// or https://"],
  ["https://:99999", "invalid destination url: endpoint is not a valid url"],
  ["https%3A%2F%2Fexample.com%zz", "invalid destination url: endpoint has invalid scheme, add http:// or https://"],
])("refuses the destination %s", async (destination, error) => {
  expect(await publish(destination)).toMatchObject({ status: 400, json: { error } });
});

test("refuses a message over the size limit", async () => {
  expect(await publish(target, {}, "x".repeat(2001))).toMatchObject({
    status: 413,
    json: { error: "message is larger than the limit of 2000 bytes" },
  });
});

test.each([
  ["no token", {}],
  ["a wrong token", { authorization: "Bearer nope" }],
  ["another scheme", { authorization: "Basic nope" }],
])("answers 401 to %s", async (_, headers) => {
  const response = await fetch(`${stage.queue.url}/v2/publish/${target}`, { method: "POST", headers });
  expect(response.status).toBe(401);
  expect(await response.json()).toEqual({ error: "unable to authenticate: invalid token" });
});

test("takes the token from the query", async () => {
  const token = encodeURIComponent(stage.queue.token);
  const response = await fetch(`${stage.queue.url}/v2/publish/${target}?qstash_token=${token}`, { method: "POST" });
  expect(response.status).toBe(200);
  await stage.queue.idle();
  expect(stage.receiver.received[0]?.path).toBe("/deliver");
});

test.each([
  ["GET", "/v2/nothing", 404, "not found"],
  ["PUT", "/v2/batch", 405, "method not allowed"],
])("answers %s %s with %d", async (method, path, status, error) => {
  expect(await stage.call(method, path)).toMatchObject({ status, json: { error } });
});

describe("a delayed message", () => {
  test.each<[string, () => Record<string, string>, number]>([
    ["Upstash-Delay", () => ({ "upstash-delay": "1h30m" }), 5_400_000],
    ["Upstash-Not-Before", () => ({ "upstash-not-before": String(Math.ceil(stage.clock.now() / 1000) + 60) }), 61_000],
    [
      "Upstash-Not-Before, which wins over the delay",
      () => ({ "upstash-delay": "20h", "upstash-not-before": String(Math.ceil(stage.clock.now() / 1000) + 60) }),
      61_000,
    ],
  ])("waits for %s", async (_, headers, ms) => {
    await publish(target, headers());
    stage.clock.advance(ms - 2000);
    await stage.queue.idle();
    expect(stage.receiver.received).toHaveLength(0);
    stage.clock.advance(2000);
    await stage.queue.idle();
    expect(stage.receiver.received).toHaveLength(1);
  });
});

describe("deduplication", () => {
  const id = { "upstash-deduplication-id": "d1" };

  test("answers 202 with the first message's id until the window has passed", async () => {
    const first = await publish(target, id, "1");
    expect(await publish(target, id, "2")).toMatchObject({
      status: 202,
      json: { messageId: first.json.messageId, deduplicated: true },
    });
    await stage.queue.idle();
    stage.clock.advance(599_000);
    expect(await publish(target, id, "3")).toMatchObject({ status: 202 });
    stage.clock.advance(1_000);
    const later = await publish(target, id, "4");
    expect(later.status).toBe(200);
    expect(later.json.messageId).not.toBe(first.json.messageId);
    await stage.queue.idle();
    expect(stage.receiver.received.map((got) => got.body.toString())).toEqual(["1", "4"]);
  });

  test("goes by content when asked to: destination, body, content type and forwarded headers", async () => {
    const byContent = { "upstash-content-based-deduplication": "true", "content-type": "text/plain" };
    const first = await publish(target, byContent, "same");
    expect(await publish(target, byContent, "same")).toMatchObject({
      status: 202,
      json: { messageId: first.json.messageId },
    });
    expect(await publish(target, byContent, "other")).toMatchObject({ status: 200 });
    expect(await publish(`${target}?x`, byContent, "same")).toMatchObject({ status: 200 });
    expect(await publish(target, { ...byContent, "content-type": "a/b" }, "same")).toMatchObject({ status: 200 });
    expect(await publish(target, { ...byContent, "upstash-forward-x": "1" }, "same")).toMatchObject({ status: 200 });
  });

  test("of a message that has failed still swallows the same id", async () => {
    stage.receiver.answer = () => ({ status: 489, headers: { "Upstash-NonRetryable-Error": "true" } });
    await publish(target, { "upstash-deduplication-id": "failed" });
    await stage.queue.idle();
    stage.receiver.answer = () => ({});
    expect(await publish(target, { "upstash-deduplication-id": "failed" })).toMatchObject({ status: 202 });
  });
});

const batch = (body: unknown) => stage.call("POST", "/v2/batch", { body: JSON.stringify(body) });

describe("a batch", () => {
  test("takes each element on its own and answers in order with 200", async () => {
    const reply = await batch([
      { destination: target, headers: { "Upstash-Forward-N": "1", "upstash-method": "PATCH" }, body: "ä" },
      { destination: "nowhere" },
      { destination: target, headers: { "upstash-retries": "9" } },
      { destination: target, headers: { "upstash-deduplication-id": "b1" } },
      { destination: target, headers: { "upstash-deduplication-id": "b1" } },
      { destination: target, headers: { "upstash-forward-x": "a\r\nb: c" } },
      { destination: target, body: 7 },
      { destination: target, body: "x".repeat(2001) },
      { destination: target, queue: "not a name" },
    ]);
    expect(reply.status).toBe(200);
    const [first, , , fourth] = reply.json;
    expect(reply.json).toEqual([
      { messageId: expect.any(String) },
      { error: "invalid destination url: endpoint has invalid scheme, add http:// or https://" },
      { error: "quota maxRetries exceeded" },
      { messageId: expect.any(String) },
      { messageId: fourth.messageId, deduplicated: true },
      { error: 'invalid header "x": not a name and value that HTTP can carry' },
      { error: "invalid message: needs a destination, headers and a body in text" },
      { error: "message is larger than the limit of 2000 bytes" },
      { error: "queue name can only contain alphanumeric characters, hyphens, periods, and underscores" },
    ]);
    await stage.queue.idle();
    expect(stage.receiver.received).toHaveLength(2);
    const got = stage.receiver.received.find((one) => one.headers["upstash-message-id"] === first.messageId);
    expect(got).toMatchObject({ method: "PATCH", headers: { n: "1" }, body: Buffer.from("ä") });
  });

  test.each([[{ destination: "https://example.com" }], ["text"], [null]])("refuses the body %j", async (body) => {
    expect(await batch(body)).toMatchObject({
      status: 400,
      json: { error: "invalid batch: the body must be a JSON array of messages" },
    });
  });
});
