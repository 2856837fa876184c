/** Capture without holes: where the gateway skips hooks, replaces requests or nests routes, there is still exactly one record. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuditRecord } from "../../shared/record.ts";
import { type Called, type Harness, startHarness } from "./harness.ts";
import { type Situation, VARIABLE_OPTIONS, type Variant } from "./routes.ts";
import { waitUntil } from "./wait.ts";

/** Where the hooks are skipped. */
const WATCHDOG_MS = 300;
/** Where they are not: no request is so slow that the watchdog rightly takes it for lost. */
const CALM_MS = 5_000;
const calm = { policy: "calm" };

const situations: Readonly<Record<string, Situation>> = {
  outboundThrows: { after: ["auth"], outbound: ["outboundThrows"] },
  earlierHookThrows: { before: ["finalHookThrows"], after: ["auth"] },
  laterHookThrows: { after: ["auth", "finalHookThrows"] },
  sendingHookThrows: { after: ["auth", "sendingHookThrows"] },
  childOutboundThrows: { handler: "child", outbound: ["outboundThrows"] },
  late: { handler: "held", after: ["auth"] },
  requiredFirst: { ...calm, after: ["auth"], xAudit: { assurance: "required" } },
  requiredLast: { ...calm, before: ["auth"], xAudit: { assurance: "required" } },
  rewrite: { ...calm, after: ["auth", "sendingHookRewrites"] },
  throws: { ...calm, handler: "throws", after: ["auth"] },
  parent: { ...calm, handler: "parent", after: ["auth"] },
  child: { ...calm, handler: "child", after: ["auth"] },
  unauditedParent: { handler: "parent", policy: "auth" },
  stream: { ...calm, handler: "stream" },
  skipped: { ...calm, xAudit: { skip: true } },
  twice: { ...calm, before: ["calm"] },
  held: { ...calm, handler: "held", after: ["auth"] },
};

let harness: Harness;
beforeAll(async () => {
  const options = { coalesceMs: 0, timeoutMs: 5_000 };
  harness = await startHarness({
    situations,
    options: { ...options, watchdogMs: WATCHDOG_MS },
    policies: { calm: { options: { ...VARIABLE_OPTIONS, ...options, watchdogMs: CALM_MS } } },
  });
});
afterAll(() => harness?.stop());

const USER = { "x-test-user": "user_1" };

/** Sends a request under an id by which its records are found. */
function call(path: string, id: string, variant: Variant = "ours"): Promise<Called> {
  return harness.call(variant, path, { headers: { ...USER, "zp-rid": id } });
}

const isOf = (id: string) => (record: AuditRecord) => record.requestId === id;
const recordsOf = (id: string, count = 1) => harness.sink.waitForRecords(isOf(id), count);

/** All records of a request, after a time in which a further one would have come. */
async function settledRecords(id: string, count = 1, watchdogMs = CALM_MS): Promise<readonly AuditRecord[]> {
  await recordsOf(id, count);
  // No state says "nothing more will come": the watchdog is the last thing that could send.
  await sleep(watchdogMs + 150);
  return harness.sink.records().filter(isOf(id));
}

// At one time, because each waits until its watchdog would have rung.
describe.concurrent("where the gateway skips the hooks, the watchdog records the request as unknown", () => {
  for (const path of ["/outboundThrows", "/earlierHookThrows", "/laterHookThrows", "/sendingHookThrows"]) {
    it(`${path.slice(1)}: the client gets its 500, the record does not guess`, async ({ expect }) => {
      const id = randomUUID();
      const plain = await call(path, id, "plain");
      const ours = await call(path, id);
      expect([plain.status, ours.status]).toEqual([500, 500]);
      const records = await settledRecords(id, 1, WATCHDOG_MS);
      expect(records).toHaveLength(1);
      expect(records[0]).toMatchObject({
        stage: "watchdog",
        outcome: "unknown",
        route: `/ours${path}`,
        sequence: expect.any(Number),
      });
      expect(records[0]).not.toHaveProperty("status");
    });

    it(`${path.slice(1)}: the documented policy leaves no event`, async ({ expect }) => {
      await call(path, randomUUID(), "documented");
      await sleep(WATCHDOG_MS + 150);
      expect(harness.sink.received.filter(({ path }) => path === "workos")).toEqual([]);
    });
  }

  it("waits minutes in the queue under a deduplication id of its own, so that a late outcome wins", async ({
    expect,
  }) => {
    const id = randomUUID();
    const release = harness.sink.hold("origin");
    const answer = call("/late", id);
    const [watchdog] = await recordsOf(id);
    release();
    expect((await answer).status).toBe(200);
    const [, outcome] = await recordsOf(id, 2);
    expect(watchdog).toMatchObject({ stage: "watchdog", outcome: "unknown" });
    expect(outcome).toMatchObject({ stage: "outcome", outcome: "success" });
    // The user signed in while the watchdog waited.
    expect([watchdog?.actor, outcome?.actor]).toEqual(
      Array.from({ length: 2 }, () => ({ id: "user_1", type: "user" })),
    );
    expect(watchdog?.id).toBe(outcome?.id);
    expect(watchdog?.sequence).toBe(outcome?.sequence);
    const [early, late] = harness.sink.of(id);
    expect(early?.headers["upstash-deduplication-id"]).toBe(`${watchdog?.id}_watchdog`);
    expect(Number.parseInt(String(early?.headers["upstash-delay"]), 10)).toBeGreaterThanOrEqual(120);
    expect(late?.headers["upstash-deduplication-id"]).toBe(watchdog?.id);
    expect(late?.headers).not.toHaveProperty("upstash-delay");
  });
});

describe("the actor of an intent", () => {
  const before = { id: "anonymous", type: "anonymous", metadata: { known: "before_sign_in" } };
  const user = { id: "user_1", type: "user" };

  it.each([
    ["requiredFirst", "says that nobody had signed in yet", before],
    ["requiredLast", "is the user who has signed in", user],
  ])("%s: %s, and the outcome names the user", async (path, _, expected) => {
    const id = randomUUID();
    expect((await call(`/${path}`, id)).status).toBe(200);
    const records = await recordsOf(id, 2);
    expect(records).toMatchObject([
      { stage: "intent", actor: expected },
      { stage: "outcome", actor: user },
    ]);
    expect(records.map(({ actor }) => actor)).toEqual([expected, user]);
  });
});

describe("what the client really got", () => {
  it("is the status after sending hooks", async () => {
    const id = randomUUID();
    expect((await call("/rewrite", id)).status).toBe(503);
    const [record] = await recordsOf(id);
    expect(record).toMatchObject({ status: 503, outcome: "failure" });
    expect(record).not.toHaveProperty("statusSource");
  });

  it("is the 500 of a handler that throws", async () => {
    const id = randomUUID();
    await call("/throws", id);
    expect(await recordsOf(id)).toMatchObject([{ status: 500, outcome: "failure", actor: { id: "user_1" } }]);
  });
});

// At one time, because each waits for its watchdog not to ring.
describe.concurrent("exactly one record", () => {
  it("of each of two nested routes, the child's linked to its parent's, with ids of their own", async ({ expect }) => {
    const id = randomUUID();
    await call("/parent", id);
    const records = await settledRecords(id, 2);
    expect(records).toHaveLength(2);
    const parent = records.find(({ route }) => route === "/ours/parent");
    const child = records.find(({ route }) => route === "/ours/child");
    expect(child?.parentId).toBe(parent?.id);
    expect(child?.id).not.toBe(parent?.id);
    expect(parent).not.toHaveProperty("parentId");
  });

  it("of a child whose outbound policy throws, and of its parent", async ({ expect }) => {
    const id = randomUUID();
    await call("/parent?child=/ours/childOutboundThrows", id);
    const records = await settledRecords(id, 2);
    expect(records).toHaveLength(2);
    expect(records.find(({ route }) => route === "/ours/childOutboundThrows")).toMatchObject({ outcome: "unknown" });
    expect(records.find(({ route }) => route === "/ours/parent")).toMatchObject({ stage: "outcome" });
  });

  it("of a child whose parent is not audited, with no link", async ({ expect }) => {
    const id = randomUUID();
    await call("/unauditedParent", id);
    const records = await settledRecords(id);
    expect(records).toHaveLength(1);
    expect(records[0]).not.toHaveProperty("parentId");
  });

  it("where the policy stands twice in the chain", async ({ expect }) => {
    const id = randomUUID();
    await call("/twice", id);
    expect(await settledRecords(id)).toHaveLength(1);
  });

  it("where the client leaves before the answer", async ({ expect }) => {
    const id = randomUUID();
    const release = harness.sink.hold("origin");
    const leaving = new AbortController();
    const left = fetch(`${harness.gateway.url}/ours/held?id=${id}`, {
      headers: { ...USER, "zp-rid": id },
      signal: leaving.signal,
    });
    await waitUntil(() => harness.sink.received.some(({ url }) => url.includes(id)));
    leaving.abort();
    await expect(left).rejects.toThrow("aborted");
    release();
    expect(await settledRecords(id)).toMatchObject([{ route: "/ours/held", status: 200 }]);
  });

  it("of a streamed response, whose bytes arrive as they are written", async ({ expect }) => {
    const id = randomUUID();
    expect((await call("/stream", id)).body).toBe("one two three");
    expect(await settledRecords(id)).toMatchObject([{ status: 200 }]);
  });

  it("none for a route that is skipped", async ({ expect }) => {
    const id = randomUUID();
    await call("/skipped", id);
    await call("/child", id);
    expect(await settledRecords(id)).toMatchObject([{ route: "/ours/child" }]);
  });

  it("although many clients send one request id", async ({ expect }) => {
    const same = 'same "; id';
    await Promise.all(Array.from({ length: 10 }, () => call("/child", same)));
    const records = await settledRecords(same, 10);
    expect(records).toHaveLength(10);
    expect(new Set(records.map(({ id }) => id)).size).toBe(10);
  });
});

it("numbers the records of an isolate without a gap", async () => {
  const id = randomUUID();
  await Promise.all(Array.from({ length: 30 }, () => call("/child", id)));
  const numbers = (await recordsOf(id, 30)).map(({ sequence }) => sequence);
  numbers.sort((a, b) => a - b);
  expect(numbers.at(-1)).toBe((numbers[0] ?? 0) + 29);
});
