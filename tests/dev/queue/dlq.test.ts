import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStage, type Stage } from "./stage.ts";

let stage: Stage;
let target: string;
beforeEach(async () => {
  stage = await openStage();
  target = `${stage.receiver.url}/deliver`;
  stage.receiver.answer = ({ path, headers }) =>
    path === "/dead" ? {} : { status: Number(headers["x-status"] ?? 500), headers: { "x-why": "broken" }, body: "why" };
});
afterEach(() => stage.close());

type Headers = Record<string, string>;

/** Makes a dead letter that was answered with `status`. */
async function bury(headers: Headers = {}, status = 500, path = ""): Promise<string> {
  const { json } = await stage.call("POST", `/v2/publish/${target}${path}`, {
    headers: { "upstash-retries": "0", "upstash-forward-x-status": String(status), ...headers },
    body: "{}",
  });
  await stage.queue.idle();
  return json.messageId;
}
const found = async (query: string) => (await list(query)).messages.map((message) => message.messageId);
const list = async (query = ""): Promise<{ messages: { messageId: string; dlqId: string }[]; cursor?: string }> =>
  (await stage.call("GET", `/v2/dlq${query}`)).json;

test("an entry tells the whole message and its last answer", async () => {
  const messageId = await bury({
    "content-type": "application/json",
    "upstash-label": "audit-forwarder, org_1",
    "upstash-flow-control-key": "k",
    "upstash-flow-control-value": "rate=80, period=2s, parallelism=3",
    "upstash-failure-callback": `${stage.receiver.url}/dead`,
    "upstash-retry-delay": "1000",
  });
  const { messages } = await list("?label=audit-forwarder");
  expect(messages).toEqual([
    {
      messageId,
      dlqId: expect.stringMatching(/^\d+-\d+$/),
      url: target,
      method: "POST",
      header: { "Content-Type": ["application/json"], "X-Status": ["500"] },
      body: "{}",
      maxRetries: 0,
      notBefore: stage.clock.now(),
      createdAt: stage.clock.now(),
      failureCallback: `${stage.receiver.url}/dead`,
      callerIP: "127.0.0.1",
      label: "audit-forwarder",
      labels: ["audit-forwarder", "org_1"],
      flowControlKey: "k",
      parallelism: 3,
      rate: 80,
      period: 2,
      retryDelayExpression: "1000",
      responseStatus: 500,
      responseHeader: expect.objectContaining({ "X-Why": ["broken"] }),
      responseBody: "why",
    },
  ]);
  expect((await stage.call("GET", `/v2/dlq/${messages[0]?.dlqId}`)).json).toEqual(messages[0]);
});

test("bodies that are not text are shown as base64", async () => {
  stage.receiver.answer = () => ({ status: 500, body: Buffer.from([0xff, 0xfe]) });
  await stage.call("POST", `/v2/publish/${target}`, {
    headers: { "upstash-retries": "0" },
    body: new Uint8Array([0xff, 0x00]),
  });
  await stage.queue.idle();
  expect((await list()).messages).toMatchObject([{ bodyBase64: "/wA=", responseBodyBase64: "//4=" }]);
});

describe("filters", () => {
  test.each<[string, string[]]>([
    ["?label=a", ["one", "two"]],
    ["?label=b", ["two"]],
    ["?label=b&label=c", ["two", "three"]],
    ["?label=b,c", ["two", "three"]],
    ["?label=a&responseStatus=404", ["two"]],
    ["?responseStatus=404,503", ["two", "three"]],
    ["?responseStatus=500&responseStatus=503", ["one", "three"]],
    ["?flowControlKey=k", ["three"]],
    ["?queueName=none", []],
    ["?topicName=none", []],
    ["?scheduleId=none", []],
    ["?callerIp=127.0.0.1", ["one", "two", "three"]],
    ["?callerIp=10.0.0.1", []],
    ["?label=d", []],
  ])("%s finds %j", async (query, names) => {
    const ids: Record<string, string> = {
      one: await bury({ "upstash-label": "a" }, 500),
      two: await bury({ "upstash-label": "a,b" }, 404),
      three: await bury(
        { "upstash-label": "c", "upstash-flow-control-key": "k", "upstash-flow-control-value": "rate=9" },
        503,
      ),
    };
    expect((await list(query)).messages.map((message) => message.messageId)).toEqual(names.map((name) => ids[name]));
  });

  test("by url, which may hold a comma, and by message id", async () => {
    const comma = await bury({}, 500, "?ids=1,2");
    const other = await bury({}, 500, "?ids=3");
    expect(await found(`?url=${encodeURIComponent(`${target}?ids=1,2`)}`)).toEqual([comma]);
    expect(await found(`?url=${encodeURIComponent(`${target}?ids=1`)}`)).toEqual([]);
    expect(await found(`?messageId=${other}`)).toEqual([other]);
  });

  test("by the time of failing, both ends included", async () => {
    const start = stage.clock.now();
    const ids = [];
    for (let n = 0; n < 3; n += 1) {
      ids.push(await bury());
      stage.clock.advance(1000);
    }
    const between = (from: number, to: number) => found(`?fromDate=${start + from}&toDate=${start + to}`);
    expect(await between(0, 2000)).toEqual(ids);
    expect(await between(1, 1000)).toEqual([ids[1]]);
    expect(await between(1001, 1999)).toEqual([]);
  });

  test.each([
    ["?host=127.0.0.1", "filter host is not supported for the dlq"],
    ["?path=/deliver", "filter path is not supported for the dlq"],
    ["?fromDate=yesterday", "invalid fromDate: must be a whole number"],
    ["?count=some", "invalid count: must be a whole number"],
    ["?cursor=x", "invalid cursor"],
  ])("refuse %s", async (query, error) => {
    expect(await stage.call("GET", `/v2/dlq${query}`)).toMatchObject({ status: 400, json: { error } });
  });
});

test("pages follow each other by cursor, and an entry that comes meanwhile is not missed", async () => {
  const ids = [await bury(), await bury(), await bury()];
  const first = await list("?count=2");
  ids.push(await bury());
  const second = await list(`?count=2&cursor=${first.cursor}`);
  expect([...first.messages, ...second.messages].map((message) => message.messageId)).toEqual(ids);
  expect(second.cursor).toBeUndefined();
});

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe("redaction", () => {
  test("hides fields from every listing, and a retry still sends the originals", async () => {
    await bury({ "upstash-redact-fields": "body, header[Authorization]", "upstash-forward-authorization": "secret" });
    const hidden = {
      body: `REDACTED:${sha256("{}")}`,
      header: { Authorization: [`REDACTED:${sha256("secret")}`], "X-Status": ["500"] },
    };
    const { messages } = await list();
    expect(messages).toMatchObject([hidden]);
    expect((await stage.call("GET", `/v2/dlq/${messages[0]?.dlqId}`)).json).toMatchObject(hidden);
    const { events } = (await stage.call("GET", "/v2/events?count=1")).json;
    expect(Buffer.from(events[0].body, "base64").toString()).toBe(hidden.body);
    expect(events[0].header).toMatchObject(hidden.header);
    await stage.client.dlq.retry({ all: true });
    await stage.queue.idle();
    expect(stage.receiver.received.at(-1)).toMatchObject({
      headers: { authorization: "secret" },
      body: Buffer.from("{}"),
    });
    expect((await list()).messages).toMatchObject([hidden]);
  });

  test.each(["header", "headers"])("%s hides all headers", async (field) => {
    await bury({ "upstash-redact-fields": field });
    expect((await list()).messages).toMatchObject([{ header: { "X-Status": [`REDACTED:${sha256("500")}`] } }]);
  });
});

describe("delete", () => {
  test("one entry, once", async () => {
    await bury();
    const [dead] = (await list()).messages;
    expect((await stage.call("DELETE", `/v2/dlq/${dead?.dlqId}`)).status).toBe(200);
    const gone = { status: 404, json: { error: `message ${dead?.dlqId} not found in the dlq` } };
    expect(await stage.call("DELETE", `/v2/dlq/${dead?.dlqId}`)).toMatchObject(gone);
    expect(await stage.call("GET", `/v2/dlq/${dead?.dlqId}`)).toMatchObject(gone);
    expect((await list()).messages).toEqual([]);
  });

  test("by ids, by filter, and all of them page by page", async () => {
    for (const label of ["a", "a", "b", "c", "c", "c"]) await bury({ "upstash-label": label });
    const [first] = (await list()).messages;
    expect(await stage.client.dlq.delete([String(first?.dlqId), "1-1"])).toEqual({ deleted: 1 });
    expect(await stage.client.dlq.delete({ filter: { label: ["a", "b"] } })).toEqual({ deleted: 2 });
    const page = await stage.client.dlq.delete({ all: true, count: 2 });
    expect(page).toEqual({ deleted: 2, cursor: expect.any(String) });
    expect(await stage.client.dlq.delete({ all: true, cursor: String(page.cursor) })).toEqual({ deleted: 1 });
    expect((await list()).messages).toEqual([]);
  });
});

describe("retry", () => {
  test("makes a new message with the same body, headers, labels and key, and removes the entry", async () => {
    const old = await bury({
      "upstash-label": "l",
      "upstash-forward-x-keep": "1",
      "upstash-flow-control-key": "k",
      "upstash-flow-control-value": "rate=9",
      "upstash-deduplication-id": "d1",
      "upstash-failure-callback": `${stage.receiver.url}/dead`,
      "upstash-delay": "5m",
    });
    stage.clock.advance(300_000);
    await stage.queue.idle();
    const [dead] = (await list()).messages;
    const reply = await stage.call("POST", `/v2/dlq/retry/${dead?.dlqId}`);
    expect(reply).toMatchObject({ status: 201, json: { messageId: expect.stringMatching(/^msg_/) } });
    expect(reply.json.messageId).not.toBe(old);
    await stage.queue.idle();
    expect(stage.receiver.at("/deliver")).toHaveLength(2);
    expect(stage.receiver.at("/deliver")[1]).toMatchObject({
      body: Buffer.from("{}"),
      headers: { "x-keep": "1", "upstash-message-id": reply.json.messageId, "upstash-retried": "0" },
    });
    const { messages } = await list();
    expect(messages).toMatchObject([{ messageId: reply.json.messageId, labels: ["l"], flowControlKey: "k" }]);
    expect(stage.receiver.at("/dead")).toHaveLength(2);
  });

  test("takes configuration headers as overrides, for one and for many", async () => {
    await bury({ "upstash-retries": "0", "upstash-forward-x-a": "old", "upstash-forward-x-b": "old" });
    const overrides = {
      "upstash-retries": "5",
      "upstash-forward-x-a": "new",
      "upstash-label": "again",
      "upstash-delay": "1m",
    };
    const [dead] = (await list()).messages;
    await stage.call("POST", `/v2/dlq/retry/${dead?.dlqId}`, {
      headers: { ...overrides, "content-type": "x/y" },
      body: "",
    });
    await stage.queue.idle();
    expect(stage.receiver.received).toHaveLength(1);
    stage.clock.advance(60_000);
    await stage.queue.idle();
    expect(stage.receiver.received[1]?.headers).toMatchObject({
      "x-a": "new",
      "x-b": "old",
      "upstash-max-retries": "5",
    });
    expect(stage.receiver.received[1]?.headers["content-type"]).not.toBe("x/y");

    await bury();
    await stage.call("POST", "/v2/dlq/retry?responseStatus=500", { headers: { "upstash-label": "bulk" } });
    await stage.queue.idle();
    expect((await list("?label=bulk")).messages).toHaveLength(1);
  });

  test("of many answers 201 with a cursor while more are left", async () => {
    stage.receiver.answer = () => ({ status: 500 });
    for (let n = 0; n < 5; n += 1) await bury();
    stage.receiver.answer = () => ({});
    const first = await stage.call("POST", "/v2/dlq/retry?count=3");
    expect(first).toMatchObject({ status: 201, json: { cursor: expect.stringMatching(/^\d+-\d+$/) } });
    expect(first.json.responses).toHaveLength(3);
    const second = await stage.call("POST", `/v2/dlq/retry?count=3&cursor=${first.json.cursor}`);
    expect(second.json).toMatchObject({ cursor: "", responses: [{}, {}] });
    await stage.queue.idle();
    expect((await list()).messages).toEqual([]);
  });

  test("of an unknown id is 404 and touches nothing", async () => {
    await bury();
    const [dead] = (await list()).messages;
    expect(await stage.call("POST", "/v2/dlq/retry/1-1")).toMatchObject({ status: 404 });
    expect(await stage.call("POST", `/v2/dlq/retry?dlqIds=${dead?.dlqId}&dlqIds=1-1`)).toMatchObject({
      status: 404,
      json: { error: "some messages were not found in the dlq" },
    });
    expect((await list()).messages).toHaveLength(1);
  });

  test("with a wrong override is refused and keeps the entry", async () => {
    await bury();
    expect(await stage.call("POST", "/v2/dlq/retry", { headers: { "upstash-retries": "x" } })).toMatchObject({
      status: 400,
    });
    expect((await list()).messages).toHaveLength(1);
  });
});

test("entries older than the retention are gone", async () => {
  await bury();
  stage.clock.advance(7 * 86_400_000);
  await stage.queue.idle();
  expect((await list()).messages).toHaveLength(1);
  stage.clock.advance(60_000);
  expect((await list()).messages).toEqual([]);
});

test("100,000 entries: pages by cursor find each once, and none is found by reading the table through", async () => {
  const folder = mkdtempSync(join(tmpdir(), "queue-dlq-"));
  const path = join(folder, "queue.sqlite");
  const large = await openStage({ path });
  await large.client.publishJSON({
    url: "http://127.0.0.1:1/",
    body: {},
    retries: 0,
    label: ["audit-forwarder", "rare"],
  });
  await large.queue.idle();
  await large.close();
  multiply(path, 99_999);

  const again = await openStage({ path, clock: large.clock });
  try {
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const page: Awaited<ReturnType<typeof again.client.dlq.listMessages>> = await again.client.dlq.listMessages({
        count: 100,
        filter: { label: "audit-forwarder" },
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const message of page.messages) seen.add(message.dlqId);
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(seen.size).toBe(100_000);
    expect((await again.client.dlq.listMessages({ filter: { label: "rare" } })).messages).toHaveLength(1);
  } finally {
    await again.close();
  }

  const database = new DatabaseSync(path);
  const plan = database
    .prepare("EXPLAIN QUERY PLAN SELECT * FROM message WHERE dlq_seq > ? ORDER BY dlq_seq LIMIT ?")
    .all(0, 100);
  expect(JSON.stringify(plan)).toContain("USING INDEX dlq_order");
  database.close();
  rmSync(folder, { recursive: true });
});

/** Copies the one dead letter of a file so many times. */
function multiply(path: string, times: number): void {
  const database = new DatabaseSync(path);
  database.exec(`
    CREATE TEMP TABLE copy AS SELECT * FROM message LIMIT 1;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${times})
    INSERT INTO message (seq, id, state, lane, due_at, retried, url, host, path, flow_key, queue, caller_ip, created_at,
      not_before, ended_at, dlq_seq, response_status, response_header, options, response_body, body)
    SELECT seq + i, id || '_' || i, state, lane, due_at, retried, url, host, path, flow_key, queue,
      caller_ip, created_at, not_before, ended_at, dlq_seq + i, response_status, response_header, options, response_body,
      body FROM copy, n;
    INSERT INTO label SELECT 'audit-forwarder', seq FROM message WHERE seq > (SELECT seq FROM copy);
    UPDATE sqlite_sequence SET seq = seq + ${times};
  `);
  database.close();
}
