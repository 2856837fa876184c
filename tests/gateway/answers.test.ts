/** The table of the documented policy's faults: ours answers as the API itself does, and records each request. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { randomUUID } from "node:crypto";
import { type Called, type CallInit, type Harness, startHarness } from "./harness.ts";
import type { Situation, Variant } from "./routes.ts";

const situations: Readonly<Record<string, Situation>> = {
  echo: { method: "POST", after: ["auth"] },
  read: { after: ["auth"] },
  head: { method: "HEAD", after: ["auth"] },
  private: { method: "POST", after: ["mustAuth"] },
  limited: { after: ["auth", "limited"] },
  throws: { handler: "throws", after: ["auth"] },
  policyThrows: { after: ["auth", "policyThrows"] },
  forward: { method: "POST", path: "/forward/{id}", forward: true, after: ["auth"] },
  noContent: { method: "DELETE", handler: "noContent", after: ["auth"] },
  redirect: { handler: "redirect", after: ["auth"] },
  stream: { handler: "stream", after: ["auth"] },
  rewrite: { handler: "echo", after: ["auth", "sendingHookRewrites"] },
  replaced: { method: "POST", after: ["replace", "auth"] },
  consumed: { method: "POST", before: ["consume"], after: ["auth"] },
};

const USER = { "x-test-user": "user_1", "content-type": "application/json" };

interface Case {
  readonly name: string;
  readonly path: string;
  readonly init: CallInit;
  readonly status: number;
  /** What the documented policy answers; the same where nothing stands here. */
  readonly documented?: number;
}

const cases: readonly Case[] = [
  {
    name: "a JSON body and a user",
    path: "/echo",
    init: { method: "POST", headers: USER, body: '{"extra":"x"}' },
    status: 200,
  },
  {
    name: "a JSON body and nobody",
    path: "/private",
    init: { method: "POST", headers: { "content-type": "application/json" }, body: "{}" },
    status: 401,
    documented: 500,
  },
  {
    name: "a JSON body and nobody, where nobody may",
    path: "/echo",
    init: { method: "POST", body: "{}" },
    status: 200,
    documented: 500,
  },
  { name: "a GET", path: "/read", init: { headers: USER }, status: 200, documented: 500 },
  { name: "a HEAD", path: "/head", init: { method: "HEAD", headers: USER }, status: 200, documented: 500 },
  {
    name: "a text body",
    path: "/echo",
    init: { method: "POST", headers: { ...USER, "content-type": "text/plain" }, body: "plain" },
    status: 200,
    documented: 500,
  },
  { name: "an empty body", path: "/echo", init: { method: "POST", headers: USER }, status: 200, documented: 500 },
  { name: "a later policy that answers 429", path: "/limited", init: { headers: USER }, status: 429, documented: 500 },
  { name: "a handler that throws", path: "/throws", init: { headers: USER }, status: 500 },
  { name: "a later policy that throws", path: "/policyThrows", init: { headers: USER }, status: 500 },
  {
    name: "a forwarded request",
    path: "/forward/7?x=1",
    init: { method: "POST", headers: USER, body: '{"a":1}' },
    status: 200,
  },
  { name: "a 204", path: "/noContent", init: { method: "DELETE", headers: USER }, status: 204, documented: 500 },
  { name: "a redirect", path: "/redirect", init: { headers: USER }, status: 302, documented: 500 },
  { name: "a streamed response", path: "/stream", init: { headers: USER }, status: 200, documented: 500 },
  { name: "a rewritten status", path: "/rewrite", init: { headers: USER }, status: 503, documented: 500 },
  {
    name: "a replaced request",
    path: "/replaced",
    init: { method: "POST", headers: USER, body: "{}" },
    status: 200,
    documented: 500,
  },
  {
    name: "a body read before us",
    path: "/consumed",
    init: { method: "POST", headers: USER, body: '{"extra":1}' },
    status: 200,
  },
];

/** After which the policy gives up a path: a caller who waited for one that does not answer would wait that long. */
const TIMEOUT_MS = 5_000;

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ situations, options: { timeoutMs: TIMEOUT_MS } });
});
afterAll(() => harness?.stop());
beforeEach(() => harness.sink.reset());

function send(variant: Variant, { path, init }: Case, id = "one-of-many"): Promise<Called> {
  return harness.call(variant, path, { ...init, headers: { ...init.headers, "zp-rid": id } });
}

/** The parts of an answer that must not differ; a problem document names the time and the path of its route. */
function comparable({ status, headers, body }: Called): unknown {
  const { date: _date, connection: _connection, ...rest } = headers;
  const text = body.replaceAll(/\/(plain|ours|documented)\//g, "/_/").replaceAll(/"timestamp": ?"[^"]*"/g, "");
  return {
    status,
    headers: { ...rest, "content-length": text.length === body.length ? rest["content-length"] : undefined },
    text,
  };
}

describe("an audited route answers as one without audit", () => {
  for (const one of cases) {
    it(`${one.name}: ${one.status}, recorded`, async () => {
      const id = randomUUID();
      const plain = await send("plain", one, id);
      const ours = await send("ours", one, id);
      expect(plain.status).toBe(one.status);
      expect(comparable(ours)).toEqual(comparable(plain));
      const [record] = await harness.sink.waitForRecords(({ requestId }) => requestId === id);
      expect(record).toMatchObject({ status: one.status, method: one.init.method ?? "GET", stage: "outcome" });
      expect(record?.route).toBe(`/ours${one.path.replace(/\?.*/, "").replace("/7", "/{id}")}`);
      expect(record?.actor.id).toBe(one.init.headers?.["x-test-user"] ?? "anonymous");
    });
  }
});

describe("the documented policy, as a contrast", () => {
  for (const one of cases) {
    it(`${one.name}: ${one.documented ?? one.status}`, async () => {
      expect((await send("documented", one)).status).toBe(one.documented ?? one.status);
    });
  }
});

describe("with the queue in trouble, answers stay the same and not later", () => {
  const troubles = {
    refuses: "refuse",
    hangs: "hang",
    "answers 500": { status: 500 },
    "answers 429": { status: 429 },
    "answers 401": { status: 401, body: '{"error":"invalid token"}' },
    "answers HTML with 200": { status: 200, body: "<html>welcome</html>", type: "text/html" },
    "answers late": "accept",
  } as const;
  for (const [name, mode] of Object.entries(troubles)) {
    it(`QStash ${name}`, async () => {
      harness.sink.set("queue", mode);
      // The worker is down too: nothing takes the record, and still the caller must not notice.
      harness.sink.set("ingest", mode === "hang" ? "hang" : "refuse");
      for (const one of cases.slice(0, 6)) {
        // Nothing is answered before the caller is.
        const release = [harness.sink.hold("queue"), harness.sink.hold("ingest")];
        // At one time, so that what a busy machine adds is in both.
        const [plain, ours] = await Promise.all([send("plain", one), send("ours", one)]);
        for (const open of release) open();
        expect(comparable(ours)).toEqual(comparable(plain));
        expect(ours.ms - plain.ms).toBeLessThan(TIMEOUT_MS - 500);
      }
    });
  }

  it("the documented policy is as late as WorkOS, and a 500 when WorkOS is down", async () => {
    const [one] = cases;
    if (!one) throw new Error("no case");
    harness.sink.set("workos", { status: 200, afterMs: 800 });
    expect((await send("documented", one)).ms).toBeGreaterThan(700);
    harness.sink.set("workos", "refuse");
    expect((await send("documented", one)).status).toBe(500);
  });
});
