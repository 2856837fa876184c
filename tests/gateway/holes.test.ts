/** Capture without holes: where the gateway skips hooks, replaces requests or nests routes, there is still exactly one record. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AuditRecord } from "../../shared/record.ts";
import { type Harness, startHarness } from "./harness.ts";
import type { Situation } from "./routes.ts";
import { decode } from "./sink.ts";
import { waitUntil } from "./wait.ts";

const WATCHDOG_MS = 300;

const situations: Readonly<Record<string, Situation>> = {
  outboundThrows: { after: ["auth"], outbound: ["outboundThrows"] },
  earlierHookThrows: { before: ["finalHookThrows"], after: ["auth"] },
  laterHookThrows: { after: ["auth", "finalHookThrows"] },
  sendingHookThrows: { after: ["auth", "sendingHookThrows"] },
  rewrite: { after: ["auth", "sendingHookRewrites"] },
  slow: { handler: "slow", after: ["auth"] },
  parent: { handler: "parent", after: ["auth"] },
  child: { handler: "child", after: ["auth"] },
  childOutboundThrows: { handler: "child", outbound: ["outboundThrows"] },
  unauditedParent: { handler: "parent", policy: "auth" },
  stream: { handler: "stream" },
  skipped: { xAudit: { skip: true } },
  twice: { before: ["audit-log"] },
  throws: { handler: "throws", after: ["auth"] },
};

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ situations, options: { watchdogMs: WATCHDOG_MS, coalesceMs: 0 } });
});
afterAll(() => harness?.stop());
beforeEach(() => harness.sink.reset());

const headers = { "x-test-user": "user_1" };

/** All records so far, after a time in which a second one would have come. */
async function settledRecords(count: number): Promise<readonly AuditRecord[]> {
  await harness.sink.waitForRecords(() => true, count);
  // No state says "nothing more will come": the watchdog is the last thing that could send.
  await sleep(WATCHDOG_MS + 150);
  return harness.sink.records();
}

describe("where the gateway skips the hooks, the watchdog records the request as unknown", () => {
  for (const path of ["/outboundThrows", "/earlierHookThrows", "/laterHookThrows", "/sendingHookThrows"]) {
    it(`${path.slice(1)}: the client gets its 500, the record does not guess`, async () => {
      const plain = await harness.call("plain", path, { headers });
      const ours = await harness.call("ours", path, { headers });
      expect([plain.status, ours.status]).toEqual([500, 500]);
      const records = await settledRecords(1);
      expect(records).toHaveLength(1);
      expect(records[0]).toMatchObject({
        stage: "watchdog",
        outcome: "unknown",
        route: `/ours${path}`,
        sequence: expect.any(Number),
      });
      expect(records[0]).not.toHaveProperty("status");
    });

    it(`${path.slice(1)}: the documented policy leaves no event`, async () => {
      await harness.call("documented", path, { headers });
      await sleep(WATCHDOG_MS + 150);
      expect(harness.sink.received.filter(({ path }) => path === "workos")).toEqual([]);
    });
  }

  it("waits minutes in the queue under a deduplication id of its own, so that a late outcome wins", async () => {
    const answer = await harness.call("ours", `/slow?ms=${WATCHDOG_MS * 2}`, { headers });
    expect(answer.status).toBe(200);
    const records = await harness.sink.waitForRecords(() => true, 2);
    expect(records.map(({ stage, outcome }) => [stage, outcome])).toEqual([
      ["watchdog", "unknown"],
      ["outcome", "success"],
    ]);
    expect(records[0]?.id).toBe(records[1]?.id);
    expect(records[0]?.sequence).toBe(records[1]?.sequence);
    const [early, late] = harness.sink.received;
    expect(early?.headers["upstash-deduplication-id"]).toBe(`${records[0]?.id}_watchdog`);
    expect(Number.parseInt(String(early?.headers["upstash-delay"]), 10)).toBeGreaterThanOrEqual(120);
    expect(late?.headers["upstash-deduplication-id"]).toBe(records[0]?.id);
    expect(late?.headers).not.toHaveProperty("upstash-delay");
  });
});

describe("what the client really got", () => {
  it("is the status after sending hooks", async () => {
    const answer = await harness.call("ours", "/rewrite", { headers });
    expect(answer.status).toBe(503);
    const [record] = await harness.sink.waitForRecords(() => true);
    expect(record).toMatchObject({ status: 503, outcome: "failure" });
    expect(record).not.toHaveProperty("statusSource");
  });

  it("is the 500 of a handler that throws", async () => {
    await harness.call("ours", "/throws", { headers });
    expect(await harness.sink.waitForRecords(() => true)).toMatchObject([
      { status: 500, outcome: "failure", actor: { id: "user_1" } },
    ]);
  });
});

describe("nested routes", () => {
  it("give one record each, the child's linked to its parent's, with ids of their own", async () => {
    await harness.call("ours", "/parent", { headers });
    const records = await settledRecords(2);
    expect(records).toHaveLength(2);
    const parent = records.find(({ route }) => route === "/ours/parent");
    const child = records.find(({ route }) => route === "/ours/child");
    expect(child?.parentId).toBe(parent?.id);
    expect(child?.id).not.toBe(parent?.id);
    expect(parent).not.toHaveProperty("parentId");
    expect(child?.requestId).toBe(parent?.requestId);
  });

  it("record a child whose outbound policy throws", async () => {
    await harness.call("ours", "/parent?child=/ours/childOutboundThrows", { headers });
    const records = await settledRecords(2);
    expect(records.find(({ route }) => route === "/ours/childOutboundThrows")).toMatchObject({ outcome: "unknown" });
    expect(records.find(({ route }) => route === "/ours/parent")).toMatchObject({ stage: "outcome" });
  });

  it("leave a child alone whose parent is not audited", async () => {
    await harness.call("ours", "/unauditedParent", { headers });
    const records = await settledRecords(1);
    expect(records).toHaveLength(1);
    expect(records[0]).not.toHaveProperty("parentId");
  });
});

describe("exactly one record", () => {
  it("where the policy stands twice in the chain", async () => {
    await harness.call("ours", "/twice", { headers });
    expect(await settledRecords(1)).toHaveLength(1);
  });

  it("where the client leaves before the answer", async () => {
    const left = fetch(`${harness.gateway.url}/ours/slow?ms=200`, { headers, signal: AbortSignal.timeout(80) });
    await expect(left).rejects.toThrow("aborted");
    expect(await settledRecords(1)).toMatchObject([{ route: "/ours/slow", status: 200 }]);
  });

  it("of a streamed response, whose bytes arrive as they are written", async () => {
    const answer = await harness.call("ours", "/stream");
    expect(answer.body).toBe("one two three");
    expect(await settledRecords(1)).toMatchObject([{ status: 200 }]);
  });

  it("none for a route that is skipped", async () => {
    await harness.call("ours", "/skipped", { headers });
    await harness.call("ours", "/child", { headers });
    expect(await settledRecords(1)).toMatchObject([{ route: "/ours/child" }]);
  });

  it("although many clients send one request id", async () => {
    const same = { ...headers, "zp-rid": 'same "; id' };
    await Promise.all(Array.from({ length: 10 }, () => harness.call("ours", "/child", { headers: same })));
    const records = await settledRecords(10);
    expect(new Set(records.map(({ id }) => id)).size).toBe(10);
    expect(new Set(records.map(({ requestId }) => requestId))).toEqual(new Set(['same "; id']));
  });
});

it("numbers the records of an isolate without a gap", async () => {
  await Promise.all(Array.from({ length: 30 }, () => harness.call("ours", "/child", { headers })));
  await waitUntil(() => harness.sink.records().length === 30);
  const numbers = harness.sink.received.flatMap(decode).map(({ sequence }) => sequence);
  numbers.sort((a, b) => a - b);
  expect(numbers.at(-1)).toBe((numbers[0] ?? 0) + 29);
});
