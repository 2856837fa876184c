import { describe, expect, it } from "vitest";
import { readBody } from "../../policy/body.ts";

const LIMIT = 100;
const json = (body: string, headers: Record<string, string> = {}) =>
  new Request("https://a.test", { method: "POST", body, headers: { "content-type": "application/json", ...headers } });

describe("readBody", () => {
  it.each(["application/json", "application/json; charset=utf-8", "application/problem+json", "APPLICATION/JSON"])(
    "reads %s",
    async (type) => {
      const request = json('{"a":1}', { "content-type": type });
      expect(await readBody(request, LIMIT)).toEqual({ a: 1 });
      expect(await request.text()).toBe('{"a":1}');
    },
  );

  it("reads forms, and leaves files where they are", async () => {
    expect(await readBody(json("a=1&b=x+y", { "content-type": "application/x-www-form-urlencoded" }), LIMIT)).toEqual({
      a: "1",
      b: "x y",
    });
    const form = new FormData();
    form.set("a", "1");
    form.set("file", new Blob(["x"]), "f.txt");
    const read = await readBody(new Request("https://a.test", { method: "POST", body: form }), 1_000);
    expect(read).toMatchObject({ a: "1" });
  });

  it("reads a form as a form whatever its boundary says", async () => {
    const body = '--/json\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--/json--\r\n';
    const type = 'multipart/form-data; boundary="/json"';
    expect(await readBody(json(body, { "content-type": type }), LIMIT)).toEqual({ a: "1" });
  });

  it.each([
    ["text", json("a", { "content-type": "text/plain" })],
    ["an event stream", json("a", { "content-type": "text/event-stream" })],
    ["no content type", json("{}", { "content-type": "" })],
    ["another JSON", json("{}", { "content-type": "application/jsonp" })],
    ["lines of JSON", json("{}", { "content-type": "application/x-ndjson" })],
    ["JSON only in a parameter", json("{}", { "content-type": "text/plain; of=application/json" })],
    ["no body", new Request("https://a.test", { headers: { "content-type": "application/json" } })],
    ["a body that says it is too long", json("{}", { "content-length": "101" })],
    ["a compressed body", json("{}", { "content-encoding": "gzip" })],
  ])("does not touch %s", (_name, request) => {
    expect(readBody(request, LIMIT)).toBeUndefined();
    expect(request.bodyUsed).toBe(false);
  });

  it("does not touch a body that somebody read or reads", async () => {
    const read = json("{}");
    await read.text();
    expect(readBody(read, LIMIT)).toBeUndefined();
    const locked = json("{}");
    locked.body?.getReader();
    expect(readBody(locked, LIMIT)).toBeUndefined();
  });

  it("stops at the limit, whatever the length says, and the rest flows on", async () => {
    const chunk = new TextEncoder().encode('"'.padEnd(60, "x"));
    let pulled = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(chunk);
        if (pulled === 50) controller.close();
      },
    });
    const response = new Response(stream, { headers: { "content-type": "application/json" } });
    expect(await readBody(response, LIMIT)).toBeUndefined();
    expect(pulled).toBeLessThan(10);
    expect(await response.text()).toHaveLength(50 * 60);
  });

  it("finds nothing in what is broken", async () => {
    expect(await readBody(json("{"), LIMIT)).toBeUndefined();
    expect(await readBody(json("x", { "content-type": "multipart/form-data; boundary=no" }), LIMIT)).toBeUndefined();
    const failing = new ReadableStream({ start: (controller) => controller.error(new Error("gone")) });
    const response = new Response(failing, { headers: { "content-type": "application/json" } });
    expect(await readBody(response, LIMIT)).toBeUndefined();
  });
});
