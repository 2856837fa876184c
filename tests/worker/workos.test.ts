/** The one request to WorkOS, against real sockets. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { outcomeOf } from "../../shared/outcome.ts";
import { errorDetail, eventSender } from "../../worker/workos.ts";

let server: Server;
afterEach(
  () =>
    new Promise<void>((done) => {
      vi.useRealTimers();
      server.close(() => done());
      server.closeAllConnections();
    }),
);

async function send(listener: RequestListener) {
  server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const settings = { WORKOS_API_KEY: "sk_test", WORKOS_BASE_URL: `http://127.0.0.1:${port}` };
  return eventSender(settings, fetch, Date.now)('{"organization_id":"org_1"}', "event-1");
}

describe("a request", () => {
  it("carries the key, the bytes and the credential, and nothing else of ours", async () => {
    const seen: Record<string, unknown> = {};
    const sent = await send((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        Object.assign(seen, {
          method: request.method,
          url: request.url,
          headers: request.headers,
          body: String(Buffer.concat(chunks)),
        });
        response.writeHead(201, { "content-type": "application/json" }).end('{"success":true}');
      });
    });
    expect(sent).toEqual({ answer: { kind: "response", status: 201, json: { success: true }, retryAfter: null } });
    expect(seen).toMatchObject({
      method: "POST",
      url: "/audit_logs/events",
      body: '{"organization_id":"org_1"}',
      headers: { authorization: "Bearer sk_test", "idempotency-key": "event-1", "content-type": "application/json" },
    });
  });

  it.each([
    ["never answers", () => {}],
    [
      "answers its head and never its body",
      (_, response) => {
        response.writeHead(200, { "content-type": "application/json" }).write("{");
      },
    ],
  ] satisfies [string, RequestListener][])("to a server that %s ends after 15 s", async (_, listener) => {
    const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const sent = send((...exchange) => {
      listener(...exchange);
      wasAsked();
    });
    await asked;
    await vi.advanceTimersByTimeAsync(14_900);
    expect(await Promise.race([sent, Promise.resolve("waits")])).toBe("waits");
    await vi.advanceTimersByTimeAsync(200);
    expect(await sent).toEqual({ answer: { kind: "timeout" } });
  });

  it("that is cut off is a network failure, before the answer or in the middle of it", async () => {
    expect(await send((request) => request.socket.destroy())).toEqual({ answer: { kind: "network" } });
    server.close();
    const half: RequestListener = (_, response) => {
      response.writeHead(200, { "content-length": "100" }).write("{");
      setImmediate(() => response.socket?.destroy());
    };
    expect(await send(half)).toEqual({ answer: { kind: "network" } });
  });

  it("is not redirected, because the credential must not travel", async () => {
    let asked = 0;
    const sent = await send((_, response) => {
      asked += 1;
      response.writeHead(302, { location: "/elsewhere" }).end();
    });
    expect(outcomeOf(sent.answer, 0)).toMatchObject({ kind: "retry", reason: "http_302" });
    expect(asked).toBe(1);
  });

  it("whose answer is larger than any answer of WorkOS is no success", async () => {
    const sent = await send((_, response) => response.end(`{"success":true,"x":"${"y".repeat(70_000)}"}`));
    expect(outcomeOf(sent.answer, 0)).toMatchObject({ kind: "retry", wrote: "maybe", reason: "unreadable_success" });
  });
});

describe("an answer that does not say how long it is", () => {
  it("is read like any other", async () => {
    const sent = await send((_, response) => {
      response.write('{"success":');
      response.end("true}");
    });
    expect(sent.answer).toMatchObject({ status: 200, json: { success: true } });
  });

  it("and never ends is read no further than WorkOS's answers are long", async () => {
    const sent = await send((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(" ".repeat(16_384)));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    });
    expect(outcomeOf(sent.answer, 0)).toMatchObject({ kind: "retry", wrote: "maybe", reason: "unreadable_success" });
  });
});

describe("what is told of an error", () => {
  it.each([
    [{ code: "invalid_audit_log_event", errors: [{ instancePath: "/targets" }] }, "invalid_audit_log_event /targets"],
    [
      {
        code: "invalid_audit_log",
        errors: [{ instancePath: "/targets", keyword: "contains", schemaPath: "#/x", data: ["a@b.c"] }],
      },
      "invalid_audit_log /targets contains",
    ],
    [{ message: "Validation failed.", errors: [{ code: "required", field: "event.action" }] }, "required event.action"],
    [{ message: "Organization not found: 'org_1'." }, undefined],
    [{ message: ["a", "b"] }, undefined],
    [{ code: "has spaces and maybe data", errors: [{ instancePath: "/a b" }] }, undefined],
    [{ code: 7, errors: "text" }, undefined],
    [{ errors: [null, 7, "x", { instancePath: "/actor" }] }, undefined],
    [{ errors: Array.from({ length: 9 }, (_, n) => ({ instancePath: `/t${n}` })) }, "/t0 /t1 /t2"],
    [null, undefined],
    ["text", undefined],
  ])("%j is %s", (json, expected) => {
    expect(errorDetail(json)).toBe(expected);
  });
});

describe("the safe parts of an error", () => {
  it.each<[string, object, string | undefined]>([
    [
      "errors as texts",
      { errors: ["event.action is required", "ada@example.com is invalid"] },
      "event.action required invalid",
    ],
    [
      "errors as an object",
      { code: "validation", errors: { "event.actor.id": ["must be a string"], "secret@example.com": "no" } },
      "validation event.actor.id string",
    ],
    ["an object of objects", { errors: { targets: { code: "required", data: "secret" } } }, "targets required"],
    [
      "message as a list",
      { message: ["event.targets must contain 'secret'", "event.version: unknown"] },
      "event.targets event.version unknown",
    ],
    ["a message in one text, which may quote a value", { message: "Ada's event.action" }, undefined],
    ["texts without a name", { errors: ["Ada", "secret.example.com", "actor@secret", 7, null] }, undefined],
    ["no more than three", { errors: ["action", "action", "action", "version"] }, "action action action"],
  ])("%s", (_, json, detail) => {
    expect(errorDetail(json)).toBe(detail);
  });
});
