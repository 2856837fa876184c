import { createHash } from "node:crypto";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Body, copyRequest, copyResponse, isOpenEnded, marksOf } from "../../policy/body.ts";

const LIMIT = 100;
const ports = {
  sha256: async (data: string | Uint8Array) => new Uint8Array(createHash("sha256").update(data).digest()),
};
const hex = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");

type Bytes = string | Uint8Array<ArrayBuffer>;

/** A request of known length, as most are. */
function sized(body: Bytes, headers: Record<string, string> = {}): Request {
  const length = { "content-length": String(Buffer.byteLength(body)) };
  const init = { method: "POST", body, headers: { "content-type": "application/json", ...length, ...headers } };
  return new Request("https://a.test", init);
}

function chunked(body: ReadableStream, headers: Record<string, string> = {}): Request {
  const all = { "content-type": "application/json", "transfer-encoding": "chunked", ...headers };
  return new Request("https://a.test", { method: "POST", body, headers: all, duplex: "half" });
}

function streamOf(...parts: Bytes[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(typeof part === "string" ? new TextEncoder().encode(part) : part);
      controller.close();
    },
  });
}

const bodyOf = async (request: Request, limitBytes = LIMIT) => copyRequest(request, false, { limitBytes, ports })?.();

const utf16 = (text: string) => Uint8Array.from([0xff, 0xfe, ...Buffer.from(text, "utf16le")]);

describe("a readable body", () => {
  it.each<[string, Bytes, Record<string, string>]>([
    ["JSON", '{"a":"é"}', {}],
    ["JSON of a vendor's type", '{"a":"é"}', { "content-type": "APPLICATION/problem+json; charset=UTF-8" }],
    ["JSON that says it is text", '{"a":"é"}', { "content-type": "text/plain" }],
    ["JSON that says it is a form", '{"a":"é"}', { "content-type": "application/x-www-form-urlencoded" }],
    ["JSON that says it is multipart", '{"a":"é"}', { "content-type": "multipart/form-data; boundary=x" }],
    ["JSON that says it is binary", '{"a":"é"}', { "content-type": "application/octet-stream" }],
    ["JSON without a type", '{"a":"é"}', { "content-type": "" }],
    ["JSON behind blanks", ` \t\r\n${" ".repeat(60)}{"a":"é"} \n`, {}],
    ["JSON behind a byte order mark", '\uFEFF{"a":"é"}', {}],
    ["JSON in UTF-16 with its mark", utf16('{"a":"é"}'), {}],
    ["JSON in latin1", Buffer.from('{"a":"é"}', "latin1"), { "content-type": "application/json; charset=ISO-8859-1" }],
    ["JSON in a quoted charset", Buffer.from('{"a":"é"}', "latin1"), { "content-type": 'a/b; x=1;charset="latin1"' }],
    ["identity", '{"a":"é"}', { "content-encoding": "identity" }],
    ["gzip", gzipSync('{"a":"é"}'), { "content-encoding": "gzip" }],
    ["gzip by its old name, twice", gzipSync(gzipSync('{"a":"é"}')), { "content-encoding": "gzip, X-GZIP" }],
    ["deflate", deflateSync('{"a":"é"}'), { "content-encoding": "deflate" }],
    ["a form", "a=%C3%A9&b=x+y", { "content-type": "application/x-www-form-urlencoded" }],
  ])("%s is read, and passed on as it is", async (_name, bytes, headers) => {
    const request = sized(bytes, headers);
    expect(await bodyOf(request)).toEqual({ value: expect.objectContaining({ a: "é" }) });
    expect(Buffer.from(await request.arrayBuffer())).toEqual(Buffer.from(bytes));
  });

  it("is a form with its files left out of what a selector can take", async () => {
    const form = new FormData();
    form.set("a", "1");
    form.set("file", new Blob(["x"]), "f.txt");
    const made = new Request("https://a.test", { method: "POST", body: form });
    const bytes = new Uint8Array(await made.arrayBuffer());
    const type = made.headers.get("content-type") ?? "";
    expect(await bodyOf(sized(bytes, { "content-type": type }), 1_000)).toMatchObject({ value: { a: "1" } });
  });
});

describe("a body with a fault leaves its length, and its hash where it was read", () => {
  const gzipBomb = gzipSync("[" + "0,".repeat(5_000) + "0]");
  it.each<[string, Bytes, Record<string, string>, Partial<Body>]>([
    ["text", "hello", { "content-type": "text/plain" }, { fault: "unreadable" }],
    ["broken JSON", '{"a":1', {}, { fault: "unreadable" }],
    ["lines of JSON", '{"a":1}\n{"a":2}', { "content-type": "application/x-ndjson" }, { fault: "unreadable" }],
    ["a broken form", "x", { "content-type": "multipart/form-data; boundary=no" }, { fault: "unreadable" }],
    ["brotli", brotliCompressSync('{"a":1}'), { "content-encoding": "br" }, { fault: "unreadable" }],
    ["broken gzip", gzipSync('{"a":1}').subarray(0, 15), { "content-encoding": "gzip" }, { fault: "unreadable" }],
    ["a gzip bomb", gzipBomb, { "content-encoding": "gzip" }, { fault: "too_large" }],
    [
      "latin1 that says it is UTF-8",
      Buffer.from('{"a":"é"}', "latin1"),
      {},
      { fault: "garbled", value: { a: "\uFFFD" } },
    ],
    ["an unknown charset", '{"a":1}', { "content-type": "a/b; charset=x-no" }, { fault: "garbled", value: { a: 1 } }],
  ])("%s", async (_name, bytes, headers, expected) => {
    expect(bytes.length).toBeLessThan(LIMIT);
    const found = await bodyOf(sized(bytes, headers));
    expect(found).toEqual({ value: undefined, ...expected, bytes: Buffer.byteLength(bytes), sha256: hex(bytes) });
  });

  it("one that names a length above the limit is not copied", async () => {
    const request = sized("[1]".padEnd(LIMIT + 1));
    expect(await bodyOf(request)).toEqual({ fault: "too_large", bytes: LIMIT + 1 });
    expect(await request.text()).toHaveLength(LIMIT + 1);
  });

  it("is too large whatever length it names", async () => {
    const request = sized(`"${"x".repeat(LIMIT)}"`, { "content-length": "9" });
    expect(await bodyOf(request)).toEqual({ fault: "too_large" });
  });

  it("one that somebody has read or reads", async () => {
    const read = sized("{}");
    await read.text();
    expect(await bodyOf(read)).toEqual({ fault: "unread", bytes: 2 });
    const locked = chunked(streamOf("{}"));
    locked.body?.getReader();
    expect(await bodyOf(locked)).toEqual({ fault: "unread" });
  });

  it("a chunked one, which is never touched", async () => {
    const request = chunked(streamOf("{}"));
    expect(await copyRequest(request, true, { limitBytes: LIMIT, ports })?.()).toEqual({ fault: "unread" });
    expect(request.bodyUsed).toBe(false);
  });
});

it.each<[string, Request]>([
  ["a GET", new Request("https://a.test")],
  ["a POST of length 0", sized("")],
])("%s has no body, and no fault", (_name, request) => {
  expect(copyRequest(request, isOpenEnded(request, false), { limitBytes: LIMIT, ports })).toBeUndefined();
});

describe("isOpenEnded", () => {
  const bare = new Request("https://a.test", { method: "POST", body: "{}" });
  it.each<[string, Request, boolean, boolean]>([
    ["a request without a body", new Request("https://a.test"), false, false],
    ["one that names its length", sized("{}"), false, false],
    ["a chunked one", chunked(streamOf("{}")), false, true],
    [
      "one that names a length too, which does not count",
      chunked(streamOf("{}"), { "content-length": "2" }),
      false,
      true,
    ],
    ["one that says nothing of its length", bare, false, true],
    ["the same from another route's handler", bare, true, false],
    ["a chunked one that another route's handler hands on", chunked(streamOf("{}")), true, true],
  ])("%s", (_name, request, isNested, expected) => expect(isOpenEnded(request, isNested)).toBe(expected));
});

describe("a response's body", () => {
  const copy = (response: Response) => copyResponse(response, { limitBytes: LIMIT, ports })?.();

  it("is read whatever its coding is called, because the runtime decompresses it", async () => {
    const headers = { "content-type": "application/json", "content-encoding": "br" };
    const response = new Response('{"a":1}', { headers });
    expect(await copy(response)).toEqual({ value: { a: 1 } });
    expect(await response.text()).toBe('{"a":1}');
  });

  it("is not touched where it is an event stream, and is none where there is none", async () => {
    const response = new Response(
      new ReadableStream({ pull: () => Promise.reject(new Error("read")) }, { highWaterMark: 0 }),
      {
        headers: { "content-type": "text/event-stream; charset=utf-8" },
      },
    );
    expect(await copy(response)).toEqual({ fault: "unread" });
    expect(response.bodyUsed).toBe(false);
    expect(copy(new Response(null, { status: 204 }))).toBeUndefined();
  });

  it("stops at the limit, whatever the length says, and the rest flows on", async () => {
    let pulled = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new TextEncoder().encode('"'.padEnd(60, "x")));
        if (pulled === 50) controller.close();
      },
    });
    const response = new Response(stream);
    expect(await copy(response)).toMatchObject({ fault: "too_large" });
    expect(pulled).toBeLessThan(10);
    expect(await response.text()).toHaveLength(50 * 60);
  });

  it("that fails is unread", async () => {
    expect(await copy(new Response(new ReadableStream({ start: (to) => to.error(new Error("gone")) })))).toEqual({
      fault: "unread",
    });
  });
});

describe("marksOf", () => {
  it.each<[Parameters<typeof marksOf>[0], Body, ReturnType<typeof marksOf>]>([
    ["body", { value: 1 }, { metadata: {}, missing: [], truncated: [] }],
    ["body", { fault: "unread" }, { metadata: {}, missing: ["$body"], truncated: [] }],
    ["body", { fault: "too_large", bytes: 9 }, { metadata: { body_bytes: 9 }, missing: [], truncated: ["body"] }],
    [
      "response.body",
      { fault: "unreadable", bytes: 9, sha256: "ab" },
      { metadata: { response_body_bytes: 9, response_body_sha256: "ab" }, missing: ["$response.body"], truncated: [] },
    ],
    [
      "response.body",
      { fault: "garbled", value: 1, bytes: 9, sha256: "ab" },
      { metadata: { response_body_bytes: 9, response_body_sha256: "ab" }, missing: [], truncated: ["response.body"] },
    ],
  ])("%s %j", (side, body, marks) => expect(marksOf(side, body)).toEqual(marks));
});
