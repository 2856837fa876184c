/** Nothing the policy does may change what the origin receives or what the client gets: bytes are compared with and without it. */
import { randomUUID } from "node:crypto";
import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, startHarness } from "./harness.ts";
import { type Ending, type RawOrigin, readMessage, sendRaw, startRawOrigin } from "./raw-origin.ts";
import type { Situation, Variant } from "./routes.ts";
import { waitUntil } from "./wait.ts";

const xAudit = {
  action: "thing.changed",
  targets: [{ type: "thing", id: "$body.id" }],
  metadata: { answer: "$response.body.id?", name: "$response.body.name?" },
};
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
const forward: Situation = { forward: true, xAudit };

const situations: Readonly<Record<string, Situation>> = {
  ...Object.fromEntries(METHODS.map((method) => [`mirror${method}`, { ...forward, method, path: "/mirror" }])),
  nothing: { ...forward, method: "POST", xAudit: {} },
  durable: { ...forward, method: "POST", xAudit: { ...xAudit, assurance: "durable" } },
  required: { ...forward, method: "POST", xAudit: { ...xAudit, assurance: "required" } },
};

let harness: Harness;
let origin: RawOrigin;
beforeAll(async () => {
  origin = await startRawOrigin();
  harness = await startHarness({ situations, env: { SINK_URL: origin.url }, options: { coalesceMs: 0 } });
});
afterAll(async () => {
  await harness?.stop();
  await origin?.close();
});

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isChunked: boolean;
  readonly ending: Ending;
}

interface Views {
  readonly origin: string;
  readonly isWhole: boolean;
  readonly client: string;
}

/** Sends a request under an id of its own; gives what the origin saw and what the client got, without what must differ. */
async function send(variant: Variant, sent: Sent, id = randomUUID()): Promise<Views> {
  const { method, path, body, isChunked, ending } = sent;
  const framing = isChunked
    ? { "transfer-encoding": "chunked" }
    : body || method === "POST"
      ? { "content-length": String(body.length) }
      : {};
  const headers = { host: "api.test", connection: "close", "zp-rid": id, "x-case": id, ...framing, ...sent.headers };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const half = Math.ceil(body.length / 2);
  const halves = [body.slice(0, half), body.slice(half)].filter((part) => part !== "");
  const chunks = halves.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
  const answer = await sendRaw({
    port: harness.gateway.port,
    head: `${method} /${variant}${path} HTTP/1.1\r\n${lines.join("")}\r\n`,
    parts: isChunked ? [...chunks, "0\r\n\r\n"] : halves,
    ending,
    arrived: async () => {
      await waitUntil(() => origin.of(id).some(({ bytes }) => readMessage(bytes).body.length >= half));
      if (variant === "ours" && isChunked) await announced(id);
    },
  });
  // The next request must not start before this one has ended: where two aborts meet, workerd completes one of them, even without
  // a policy.
  await waitUntil(() => origin.of(id).every(({ isClosed }) => isClosed));
  const all = origin.of(id).map(({ bytes }) => readMessage(bytes));
  const plain = (text: string) => text.replaceAll(id, "_").replaceAll(`/${variant}/`, "/_/");
  return {
    origin: all.map(({ head, body: got }) => plain(`${head}\n${got}`)).join("\n---\n"),
    isWhole: all.some(({ isWhole }) => isWhole),
    client: plain(readMessage(answer).head.replace(/\r\ndate: [^\r]*/i, "") + readMessage(answer).body),
  };
}

const recordsOf = (id: string) => harness.sink.waitForRecords(({ requestId }) => requestId === id);

/**
 * Waits for the record that a chunked request sends once its body is read. A client that resets its connection a moment earlier ends the
 * policy as well, so that there is no record; a busy machine can make that moment long.
 */
async function announced(id: string): Promise<void> {
  await recordsOf(id);
}

describe("a request whose client breaks off is never completed towards the origin, and is recorded", () => {
  const broken = { method: "POST", headers: { "content-type": "application/json" }, body: '{"id":"t_1","n":1}' };
  for (const path of ["/mirror", "/nothing", "/durable", "/required"]) {
    // The intent of a required route waits for a body that names its length, so the origin sees nothing of it yet.
    for (const isChunked of path === "/required" ? [true] : [true, false]) {
      for (const ending of ["close", "reset", "half-close"] as const) {
        it(`${path}, ${isChunked ? "chunked" : "with its length"}, ${ending}`, async () => {
          const sent: Sent = { ...broken, path, isChunked, ending };
          const id = randomUUID();
          const plain = await send("plain", sent);
          const ours = await send("ours", sent, id);
          expect([plain.isWhole, ours.isWhole]).toEqual([false, false]);
          expect(ours.origin).toBe(plain.origin);
          expect(ours.origin).toContain('{"id":"t_');
          const [record] = await recordsOf(id);
          expect(record?.outcome).not.toBe("success");
        });
      }
    }
  }

  it("and one that breaks off after its last byte is recorded, as the origin may have done what it asks", async () => {
    const id = randomUUID();
    const sent: Sent = { ...broken, path: "/mirror", isChunked: true, ending: "complete" };
    // The origin says nothing: its answer would settle the request before the client has left.
    const added = { "x-case": id, "x-answer": "none", "zp-rid": id, "transfer-encoding": "chunked" };
    const whole = { ...sent, headers: { ...sent.headers, ...added } };
    const lines = Object.entries({ host: "a.test", ...whole.headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    await sendRaw({
      port: harness.gateway.port,
      head: `POST /ours/mirror HTTP/1.1\r\n${lines.join("")}\r\n`,
      parts: [`${whole.body.length.toString(16)}\r\n${whole.body}\r\n0\r\n\r\n`],
      ending: "reset",
      arrived: async () => {
        await waitUntil(() => origin.of(id).some(({ bytes }) => readMessage(bytes).isWhole));
        await announced(id);
      },
    });
    expect((await recordsOf(id))[0]).toMatchObject({ outcome: "unknown", missing: ["$body.id", "$body"] });
  });
});

/** A generator of its own, so that a failure can be repeated. */
function generator(seed: number) {
  let state = seed;
  const next = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const pick = <T>(list: readonly T[]): T => list[next(list.length)] as T;
  return { next, pick };
}

const BODIES: readonly [type: string, body: Buffer, coding?: string][] = [
  ["application/json", Buffer.from('{"id":"t_1"}')],
  ["application/json", Buffer.from(`{"id":"t_1","filling":"${"x".repeat(30_000)}"}`)],
  ["application/json", Buffer.from(`{"id":"t_1","filling":"${"x".repeat(150_000)}"}`)],
  ["application/json", Buffer.from('{"id":"t_1"')],
  ["text/plain", Buffer.from('\uFEFF  {"id":"t_1"}')],
  ["application/json; charset=latin1", Buffer.from('{"id":"café"}', "latin1")],
  ["application/x-www-form-urlencoded", Buffer.from("id=t_1&a=b+c")],
  [
    "multipart/form-data; boundary=b",
    Buffer.from('--b\r\ncontent-disposition: form-data; name="id"\r\n\r\nt_1\r\n--b--\r\n'),
  ],
  ["application/octet-stream", Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 7) % 256))],
  ["application/json", gzipSync('{"id":"t_1"}'), "gzip"],
  ["application/json", deflateSync('{"id":"t_1"}'), "deflate"],
  ["application/json", Buffer.from('{"id":"t_1"}'), "identity"],
  ["application/json", Buffer.from("")],
];

function generate(seed: number): Sent {
  const { next, pick } = generator(seed);
  const method = pick(METHODS);
  const [type, bytes, coding] = pick(BODIES);
  // The gateway takes the body of a GET or HEAD away, and a request that ends before its body has begun is no fragment.
  const body = method === "GET" || method === "HEAD" ? "" : bytes.toString("latin1");
  const endings: readonly Ending[] = body.length > 1 ? ["complete", "complete", "close", "reset"] : ["complete"];
  const headers: Record<string, string> = {
    "content-type": type,
    ...(coding ? { "content-encoding": coding } : {}),
    "accept-encoding": pick(["gzip, br", "identity", "gzip"]),
    "x-answer": pick(["json", "gzip", "br", "latin1", "text"]),
    "x-framing": pick(["chunked", "length"]),
  };
  for (let i = next(4); i > 0; i--)
    headers[`X-Custom-${i}`] = pick(["", "a, b", "é".repeat(3), "=?x;y=z", "v".repeat(900)]);
  return {
    method,
    path: `/mirror${pick(["", "?a=1&a=2", "?q=%20%C3%A9+x", "?empty="])}`,
    headers,
    body,
    isChunked: body !== "" && next(2) === 0,
    ending: pick(endings),
  };
}

it("100 generated requests: the origin and the client see the same bytes with the policy and without", async () => {
  const endings = new Set<string>();
  for (let seed = 1; seed <= 100; seed++) {
    const sent = generate(seed * 7_919);
    endings.add(`${sent.ending}, ${sent.isChunked ? "chunked" : "sized"}`);
    // One after the other: where several clients break off at one time, workerd completes some of their requests without any policy.
    const plain = await send("plain", sent);
    const ours = await send("ours", sent);
    expect({ seed, ...ours }).toEqual({ seed, ...plain });
    expect(ours.isWhole).toBe(sent.ending === "complete");
  }
  expect(endings.size).toBe(6);
});
