/** What the policy reads of bodies on the real runtime: codings, charsets, faults, and responses that take their time. */
import { createHash, randomUUID } from "node:crypto";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, INGEST_KEY, startHarness } from "./harness.ts";
import { type RawOrigin, readMessage, sendRaw, startRawOrigin } from "./raw-origin.ts";
import { type Situation, VARIABLE_OPTIONS } from "./routes.ts";
import { waitUntil } from "./wait.ts";

const xAudit = {
  targets: [
    { type: "thing", id: "$body.id" },
    { type: "made", id: "$response.body.id", name: "$response.body.name?" },
  ],
};
const post: Situation = { method: "POST", forward: true, xAudit };
const REFUSE = { assurance: "required", unreadable: "refuse" };

const situations: Readonly<Record<string, Situation>> = {
  read: post,
  durable: { ...post, xAudit: { ...xAudit, assurance: "durable" } },
  refuse: { ...post, xAudit: { ...xAudit, ...REFUSE } },
  twoModules: { ...post, before: ["second"] },
  throws: { ...post, outbound: ["outboundThrows"] },
};

const options = { ...VARIABLE_OPTIONS, coalesceMs: 0, watchdogMs: 5_000, budgetMs: 3_000 };
let harness: Harness;
let origin: RawOrigin;
beforeAll(async () => {
  origin = await startRawOrigin();
  harness = await startHarness({
    situations,
    options,
    policies: { second: { module: "described", export: "describedAuditLog", options } },
    env: { SINK_URL: origin.url, AUDIT_INGEST_KEY: INGEST_KEY },
  });
});
afterAll(async () => {
  await harness?.stop();
  await origin?.close();
});

interface Sent {
  readonly path?: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isChunked?: boolean;
  readonly onBytes?: (bytes: string) => void;
}

/** Sends a request; gives its answer and a way to its records. */
async function send({ path = "/read", body = '{"id":"t_1"}', headers = {}, isChunked = false, onBytes }: Sent) {
  const id = randomUUID();
  const text = Buffer.from(body).toString("latin1");
  const framing = isChunked ? { "transfer-encoding": "chunked" } : { "content-length": String(text.length) };
  const all = { host: "a.test", connection: "close", "content-type": "application/json", ...framing, ...headers };
  const lines = Object.entries({ ...all, "zp-rid": id, "x-case": id }).map(([name, value]) => `${name}: ${value}\r\n`);
  const answer = await sendRaw({
    port: harness.gateway.port,
    head: `POST /ours${path} HTTP/1.1\r\n${lines.join("")}\r\n`,
    parts: isChunked ? [`${text.length.toString(16)}\r\n${text}\r\n`, "0\r\n\r\n"] : [text],
    ending: "complete",
    arrived: () => Promise.resolve(),
    ...(onBytes && { onBytes }),
  });
  const recordsOf = (count = 1) => harness.sink.waitForRecords(({ requestId }) => requestId === id, count);
  return { id, answer, recordsOf };
}

const latin1 = (text: string) => Buffer.from(text, "latin1");
const sha256 = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");

describe("a request's body", () => {
  it.each<[string, Sent]>([
    [
      "JSON called text, behind blanks",
      { headers: { "content-type": "text/plain" }, body: `${" ".repeat(16_384)}{"id":"t_1"}` },
    ],
    ["JSON with a byte order mark", { body: '\uFEFF{"id":"t_1"}' }],
    ["identity", { headers: { "content-encoding": "identity" } }],
    ["gzip", { headers: { "content-encoding": "gzip" }, body: gzipSync('{"id":"t_1"}') }],
    ["80 kB", { body: JSON.stringify({ id: "t_1", filling: "x".repeat(80_000) }) }],
  ])("is read: %s", async (_name, sent) => {
    const { recordsOf } = await send(sent);
    const [record] = await recordsOf();
    expect(record?.targets[0]?.id).toBe("t_1");
    expect(record).not.toHaveProperty("missing");
  });

  it("in latin1 is read by its charset", async () => {
    const headers = { "content-type": "application/json; charset=iso-8859-1" };
    const { recordsOf } = await send({ headers, body: latin1('{"id":"café"}') });
    expect((await recordsOf())[0]?.targets[0]?.id).toBe("café");
  });

  it.each<[string, Sent, object]>([
    [
      "brotli",
      { headers: { "content-encoding": "br" }, body: brotliCompressSync('{"id":"t_1"}') },
      { missing: ["$body.id", "$body"] },
    ],
    ["no JSON", { body: "hello" }, { missing: ["$body.id", "$body"] }],
    [
      "text of another charset",
      { body: latin1('{"id":"t_1","a":"é"}') },
      { truncated: ["body"], targets: [{ id: "t_1" }, {}] },
    ],
  ])("leaves its length and hash: %s", async (_name, sent, marks) => {
    const { recordsOf } = await send(sent);
    const bytes = Buffer.from(sent.body ?? "");
    const metadata = { body_bytes: bytes.length, body_sha256: sha256(bytes) };
    expect((await recordsOf())[0]).toMatchObject({ ...marks, metadata });
  });

  it("that is too large leaves its length", async () => {
    const body = JSON.stringify({ id: "x".repeat(120_000) });
    const { recordsOf } = await send({ body });
    const [record] = await recordsOf();
    expect(record).toMatchObject({ missing: ["$body.id"], truncated: ["body"], metadata: { body_bytes: body.length } });
  });

  it("that is chunked is marked", async () => {
    const { recordsOf } = await send({ isChunked: true });
    const records = await recordsOf();
    expect(records.at(-1)).toMatchObject({ missing: ["$body.id", "$body"] });
  });

  it("that cannot be read is refused where the route says so, and nothing reaches the origin", async () => {
    for (const sent of [{ body: "hello" }, { isChunked: true }]) {
      const { id, answer, recordsOf } = await send({ ...sent, path: "/refuse" });
      expect(answer).toMatch(/^HTTP\/1.1 422 /);
      expect(answer).toMatch(/content-type: application\/problem\+json/i);
      expect(JSON.parse(readMessage(answer).body)).toMatchObject({ status: 422, code: "unreadable_body" });
      expect(origin.of(id)).toEqual([]);
      expect((await recordsOf())[0]).toMatchObject({ status: 422, outcome: "failure" });
    }
    expect((await send({ path: "/refuse" })).answer).toMatch(/^HTTP\/1.1 200 /);
  });
});

describe("a response's body", () => {
  it.each(["json", "gzip", "br", "latin1"])("is read: %s", async (kind) => {
    const { recordsOf } = await send({ headers: { "x-answer": kind, "accept-encoding": "gzip, br" } });
    expect((await recordsOf())[0]?.targets[1]).toMatchObject({ id: "thing_9", name: "café" });
  });

  it.each([
    ["slow", "length", 2, "thing_9"],
    ["slow", "chunked", 2, "thing_9"],
    ["events", "chunked", 1, "unknown"],
  ])("that still arrives holds back no byte of a durable response: %s, %s", async (kind, framing, count, made) => {
    let isFinished = false;
    let early = "";
    const headers = { "x-answer": kind, "x-framing": framing };
    const onBytes = (bytes: string) => void (early = isFinished ? early : bytes);
    const sending = send({ path: "/durable", headers, onBytes });
    // The first bytes come although the last ones are not sent before they have.
    await waitUntil(() => readMessage(early).body !== "");
    isFinished = true;
    origin.finish();
    const { recordsOf } = await sending;
    const records = await recordsOf(count);
    expect(new Set(records.map(({ id }) => id)).size).toBe(1);
    expect(records.at(-1)).toMatchObject({ stage: "outcome", status: 200, targets: [{}, { id: made }] });
  });
});

it("two modules made by createAuditLog on one route leave one record", async () => {
  const { recordsOf } = await send({ path: "/twoModules" });
  const { recordsOf: later } = await send({});
  await later();
  expect(await recordsOf()).toHaveLength(1);
});

it("a chunked request whose hooks are skipped is recorded all the same", async () => {
  const { answer, recordsOf } = await send({ path: "/throws", isChunked: true });
  expect(answer).toMatch(/^HTTP\/1.1 500 /);
  expect(await recordsOf()).toMatchObject([{ stage: "watchdog", outcome: "unknown" }]);
});
