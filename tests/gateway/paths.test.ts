/** Two paths out: QStash first, then the worker's `/ingest`, with the same event ids; and what the assurance levels promise. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Webhook } from "standardwebhooks";
import { type Harness, INGEST_KEY, startHarness } from "./harness.ts";
import type { Situation } from "./routes.ts";
import { decode } from "./sink.ts";
import { waitUntil } from "./wait.ts";

const BUDGET_MS = 400;

const situations: Readonly<Record<string, Situation>> = {
  plain: {},
  probe: {},
  durable: { method: "POST", xAudit: { assurance: "durable", action: "key.rotated" } },
  required: {
    method: "POST",
    xAudit: { assurance: "required", action: "user.deleted", targets: [{ type: "user", id: "$query.id" }] },
  },
  requiredThrows: {
    method: "POST",
    handler: "throws",
    xAudit: { assurance: "required" },
    outbound: ["outboundThrows"],
  },
  requiredUnsound: { method: "POST", policy: "unsound", xAudit: { assurance: "required" } },
  unsound: { policy: "unsound" },
  pathless: { policy: "pathless" },
};

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({
    situations,
    options: { budgetMs: BUDGET_MS, timeoutMs: 500, coalesceMs: 0, holdMs: 500 },
    policies: {
      unsound: {
        options: {
          qstashUrl: "$env(QSTASH_URL)",
          qstashToken: "$env(QSTASH_TOKEN)",
          workerUrl: "$env(AUDIT_WORKER_URL)",
          coalesceMs: -1,
          colour: "red",
        },
      },
      pathless: { options: { qstashUrl: "not a url", qstashToken: "$env(QSTASH_TOKEN)", workerUrl: "$env(NOT_SET)" } },
    },
  });
});
afterAll(() => harness?.stop());
beforeEach(async () => {
  harness.sink.reset();
  await closeCircuits();
});

/**
 * The circuits are the isolate's: a test before may have left the queue's open. A probe in the queue may be the trial of an open
 * circuit whose answer the gateway has not read yet; one right behind it is let through by a closed circuit only.
 */
async function closeCircuits(): Promise<void> {
  // A circuit closes with time only.
  while (!((await isProbeQueued()) && (await isProbeQueued()))) await sleep(300);
}

async function isProbeQueued(): Promise<boolean> {
  await harness.call("ours", "/probe");
  // Where both circuits are open, the probe is kept for `holdMs` and then lost.
  await harness.sink.waitForRecords(({ route }) => route === PROBE, 1, 1_000).catch(() => undefined);
  const isQueued = harness.sink.records("queue").some(({ route }) => route === PROBE);
  harness.sink.reset();
  return isQueued;
}

const PROBE = "/ours/probe";

describe("best-effort", () => {
  const troubles = {
    refuse: "refuse",
    hang: "hang",
    "500": { status: 500 },
    "429": { status: 429 },
    "401": { status: 401 },
    html: { status: 200, body: "<html>" },
    empty: { status: 200, body: "{}" },
  } as const;
  for (const [name, mode] of Object.entries(troubles)) {
    it(`spills to the worker where QStash says: ${name}`, async () => {
      harness.sink.set("queue", mode);
      await harness.call("ours", "/plain");
      const [record] = await harness.sink.waitForRecords(() => true);
      const queued = harness.sink.received.filter(({ path }) => path === "queue");
      const spilled = harness.sink.received.find(({ path }) => path === "ingest");
      expect(spilled?.url).toBe("/worker/ingest");
      expect(spilled?.body).toBe(queued[0]?.body);
      expect(decode({ body: spilled?.body ?? "" })[0]?.id).toBe(record?.id);
      // The check of the official library; it throws where the signature is wrong.
      new Webhook(INGEST_KEY).verify(spilled?.body ?? "", spilled?.headers as Record<string, string>);
      // A hung connection has used its time; an answer of 401 will not change.
      expect(queued).toHaveLength(name === "hang" || name === "401" ? 1 : 2);
    });
  }

  it("leaves a dead queue alone, and comes back to it", async () => {
    harness.sink.set("queue", "refuse");
    for (let count = 1; count <= 6; count++) {
      await harness.call("ours", "/plain");
      await harness.sink.waitForRecords(() => true, count);
    }
    const asked = harness.sink.received.filter(({ path }) => path === "queue").length;
    // Three failures of two tries each, then none: the circuit's first pause is longer than these requests take.
    expect(asked).toBeLessThanOrEqual(8);
    expect(harness.gateway.logs()).toContain("QStash does not take messages: no connection");
    harness.sink.set("queue", "accept");
    await waitUntil(async () => {
      await harness.call("ours", "/plain");
      return harness.sink.records("queue").length > 0;
    });
  });

  it("logs a record that nothing took: its event id and a count, never the record", async () => {
    harness.sink.set("queue", "refuse");
    harness.sink.set("ingest", { status: 503 });
    await harness.call("ours", "/plain?marker=1", { headers: { "user-agent": "marked-agent" } });
    const tried = () => harness.sink.received.flatMap(decode).map(({ id }) => id);
    await waitUntil(() => tried().length > 0 && harness.gateway.logs().includes(`record ${tried()[0]} is lost`));
    expect(harness.gateway.logs()).toMatch(/is lost: neither QStash nor the worker takes messages; \d+ lost so far/);
    expect(harness.gateway.logs()).not.toContain("marked-agent");
  });
});

describe("durable", () => {
  it("is enqueued before the caller has its answer", async () => {
    harness.sink.set("queue", { status: 200, body: '{"messageId":"m"}', afterMs: 150 });
    const answer = await harness.call("ours", "/durable", { method: "POST" });
    expect(answer.status).toBe(200);
    expect(harness.sink.received).toHaveLength(1);
    expect(answer.ms).toBeGreaterThanOrEqual(150);
  });

  it("goes out when the budget is over, and the record spills", async () => {
    harness.sink.set("queue", "hang");
    const plain = await harness.call("plain", "/durable", { method: "POST" });
    const answer = await harness.call("ours", "/durable", { method: "POST" });
    expect(answer.status).toBe(200);
    expect(answer.body).toBe(plain.body);
    expect(answer.ms).toBeGreaterThanOrEqual(BUDGET_MS - 20);
    expect(answer.ms).toBeLessThan(BUDGET_MS * 3);
    expect(await harness.sink.waitForRecords(({ action }) => action === "key.rotated")).toMatchObject([
      { assurance: "durable" },
    ]);
    expect(harness.sink.records("ingest")).toHaveLength(1);
  });

  it("costs no more than the spill takes where the queue refuses", async () => {
    harness.sink.set("queue", "refuse");
    const answer = await harness.call("ours", "/durable", { method: "POST" });
    expect(harness.sink.records("ingest")).toHaveLength(1);
    expect(answer.ms).toBeLessThan(BUDGET_MS);
  });

  it("answers as the API does where nothing takes the record", async () => {
    harness.sink.set("queue", "refuse");
    harness.sink.set("ingest", "refuse");
    expect((await harness.call("ours", "/durable", { method: "POST" })).status).toBe(200);
    // It is kept and tried again.
    harness.sink.set("ingest", "accept");
    await harness.sink.waitForRecords(({ action }) => action === "key.rotated");
  });
});

describe("required", () => {
  it("enqueues an intent before the handler, and the outcome under the same event id", async () => {
    const answer = await harness.call("ours", "/required?id=user_9", { method: "POST" });
    expect(answer.status).toBe(200);
    const [intent, outcome] = await harness.sink.waitForRecords(({ action }) => action === "user.deleted", 2);
    expect(intent).toMatchObject({
      stage: "intent",
      outcome: "unknown",
      assurance: "required",
      targets: [{ id: "user_9" }],
    });
    expect(outcome).toMatchObject({ stage: "outcome", outcome: "success", id: intent?.id, sequence: intent?.sequence });
    const [first, second] = harness.sink.received;
    expect(first?.headers["upstash-deduplication-id"]).toBe(`${intent?.id}_intent`);
    expect(first?.headers["upstash-delay"]).toMatch(/^\d+s$/);
    expect(second?.headers["upstash-deduplication-id"]).toBe(intent?.id);
    expect(second?.headers).not.toHaveProperty("upstash-delay");
  });

  it("takes the spill for an intent too", async () => {
    harness.sink.set("queue", "refuse");
    expect((await harness.call("ours", "/required", { method: "POST" })).status).toBe(200);
    expect(harness.sink.records("ingest")[0]).toMatchObject({ stage: "intent" });
  });

  it("leaves the intent alone where no outcome comes", async () => {
    expect((await harness.call("ours", "/requiredThrows", { method: "POST" })).status).toBe(500);
    expect(harness.sink.records()).toMatchObject([{ stage: "intent", outcome: "unknown" }]);
  });

  it("refuses with 503 and Retry-After where nothing takes the intent, and records the refusal", async () => {
    harness.sink.set("queue", "hang");
    harness.sink.set("ingest", "refuse");
    const answer = await harness.call("ours", "/required", { method: "POST" });
    expect(answer.status).toBe(503);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 503, code: "audit_unavailable" });
    expect(answer.ms).toBeLessThan(BUDGET_MS * 4);
    harness.sink.set("ingest", "accept");
    expect(await harness.sink.waitForRecords(({ stage }) => stage === "outcome")).toMatchObject([
      { status: 503, outcome: "failure" },
    ]);
  });

  it("asks again at once when the queue is back", async () => {
    for (const mode of ["refuse", "refuse", "refuse", "refuse"] as const) {
      harness.sink.set("queue", mode);
      harness.sink.set("ingest", mode);
      expect((await harness.call("ours", "/required", { method: "POST" })).status).toBe(503);
    }
    harness.sink.reset();
    expect((await harness.call("ours", "/required", { method: "POST" })).status).toBe(200);
  });
});

describe("a wrong option or a missing variable", () => {
  it("never harms the API, is named in one line, and the rest goes on", async () => {
    for (let i = 0; i < 3; i++) expect((await harness.call("ours", "/unsound")).status).toBe(200);
    await harness.sink.waitForRecords(({ route }) => route === "/ours/unsound", 3);
    const lines = harness.gateway
      .logs()
      .split("\n")
      .filter((line) => line.includes('"coalesceMs"'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('invalid_option: "coalesceMs" must be a whole number from 0 to 5000; 50 is used');
    expect(lines[0]).toContain('invalid_option: "colour" is not an option');
    expect(lines[0]).toContain('missing_variable: "ingestKey" has no value; set the variable AUDIT_INGEST_KEY');
  });

  it("leaves the API alone where there is no path out at all", async () => {
    expect((await harness.call("ours", "/pathless")).status).toBe(200);
    await waitUntil(() =>
      harness.gateway.logs().includes('invalid_variable: "qstashUrl" must be an http or https URL'),
    );
    expect(harness.sink.records().filter(({ route }) => route === "/ours/pathless")).toEqual([]);
  });

  it("makes `required` refuse", async () => {
    const answer = await harness.call("ours", "/requiredUnsound", { method: "POST" });
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body)).toMatchObject({ code: "audit_unavailable" });
  });
});
