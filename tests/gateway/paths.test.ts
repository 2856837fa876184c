/** Two paths out: QStash first, then the worker's `/ingest`, with the same event ids; and what the assurance levels promise. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Webhook } from "standardwebhooks";
import { type Called, type Harness, INGEST_KEY, startHarness } from "./harness.ts";
import { type Situation, VARIABLE_OPTIONS } from "./routes.ts";
import { decode } from "./sink.ts";
import { waitUntil } from "./wait.ts";

/** The longest there are: no record goes another way because the machine is slow. */
const PATIENT = { ...VARIABLE_OPTIONS, budgetMs: 10_000, timeoutMs: 5_000, holdMs: 15_000, coalesceMs: 0 };
/** For what waits until a time is over. */
const BUDGET_MS = 400;
const IMPATIENT = { ...PATIENT, budgetMs: BUDGET_MS, timeoutMs: 500 };
/** The first pause of a circuit. */
const PAUSE_MS = 2_000;

const TROUBLES = {
  refuse: "refuse",
  hang: "hang",
  "500": { status: 500 },
  "429": { status: 429 },
  "401": { status: 401 },
  html: { status: 200, body: "<html>" },
  empty: { status: 200, body: "{}" },
} as const;

const durable = { method: "POST", xAudit: { assurance: "durable", action: "key.rotated" } };
const required = {
  method: "POST",
  xAudit: { assurance: "required", action: "user.deleted", targets: [{ type: "user", id: "$query.id" }] },
};

/** A route and an entry of the policy for each test, so that none meets the circuits of another. */
const tested: Readonly<Record<string, Situation & { readonly options: Readonly<Record<string, unknown>> }>> = {
  ...Object.fromEntries(
    Object.keys(TROUBLES).map((name) => [`spill-${name}`, { options: name === "hang" ? IMPATIENT : PATIENT }]),
  ),
  dead: { options: PATIENT },
  lost: { options: { ...PATIENT, holdMs: 500 } },
  durable: { ...durable, options: PATIENT },
  "durable-late": { ...durable, options: IMPATIENT },
  "durable-spilled": { ...durable, options: PATIENT },
  "durable-kept": { ...durable, options: PATIENT },
  required: { ...required, options: PATIENT },
  "required-spilled": { ...required, options: PATIENT },
  "required-throws": { ...required, handler: "throws", outbound: ["outboundThrows"], options: PATIENT },
  "required-refused": { ...required, options: IMPATIENT },
  "required-again": { ...required, options: PATIENT },
  unsound: {
    options: {
      qstashUrl: "$env(QSTASH_URL)",
      qstashToken: "$env(QSTASH_TOKEN)",
      workerUrl: "$env(AUDIT_WORKER_URL)",
      coalesceMs: -1,
      colour: "red",
    },
  },
  "required-unsound": { ...required, options: { ...PATIENT, coalesceMs: -1 } },
  pathless: { options: { qstashUrl: "not a url", qstashToken: "$env(QSTASH_TOKEN)", workerUrl: "$env(NOT_SET)" } },
};

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({
    situations: Object.fromEntries(Object.entries(tested).map(([name, one]) => [name, { ...one, policy: name }])),
    policies: Object.fromEntries(Object.entries(tested).map(([name, { options }]) => [name, { options }])),
  });
});
afterAll(() => harness?.stop());
beforeEach(() => harness.sink.reset());

/** Sends a request whose records can be told from those of all others. */
function send(name: string, query = ""): { readonly id: string; readonly answer: Promise<Called> } {
  const id = randomUUID();
  const headers = { "zp-rid": id, "user-agent": "marked-agent" };
  return { id, answer: harness.call("ours", `/${name}${query}`, { method: tested[name]?.method ?? "GET", headers }) };
}

const accepted = (id: string) => harness.sink.records().filter(({ requestId }) => requestId === id);
const spilled = (id: string) => harness.sink.records("ingest").filter(({ requestId }) => requestId === id);
const recordsOf = (id: string, count?: number) =>
  harness.sink.waitForRecords(({ requestId }) => requestId === id, count);

describe("best-effort", () => {
  for (const [name, mode] of Object.entries(TROUBLES)) {
    it(`spills to the worker where QStash says: ${name}`, async () => {
      harness.sink.set("queue", mode);
      const { id } = send(`spill-${name}`);
      const [record] = await recordsOf(id);
      const sent = harness.sink.of(id);
      const spill = sent.find(({ path }) => path === "ingest");
      // A record whose spill is answered too late goes both ways again.
      const queued = sent.slice(
        0,
        sent.findIndex(({ path }) => path === "ingest"),
      );
      expect(spill?.url).toBe("/worker/ingest");
      expect(spill?.body).toBe(queued[0]?.body);
      expect(decode({ body: spill?.body ?? "" })[0]?.id).toBe(record?.id);
      // The check of the official library; it throws where the signature is wrong.
      new Webhook(INGEST_KEY).verify(spill?.body ?? "", spill?.headers as Record<string, string>);
      // A hung connection has used its time; an answer of 401 will not change.
      expect(queued).toHaveLength(name === "hang" || name === "401" ? 1 : 2);
    });
  }

  it("leaves a dead queue alone, and comes back to it", async () => {
    harness.sink.set("queue", "refuse");
    const startedMs = performance.now();
    let asked = 0;
    for (let count = 1; count <= 6; count++) {
      const { id } = send("dead");
      await recordsOf(id);
      asked += harness.sink.of(id, "queue").length;
    }
    // Three failures of two tries each, and then a trial for each pause.
    const pauses = Math.ceil((performance.now() - startedMs) / PAUSE_MS);
    expect(asked).toBeLessThanOrEqual(6 + 2 * pauses);
    await waitUntil(() => harness.lines("QStash does not take messages: no connection").length > 0);
    harness.sink.set("queue", "accept");
    await waitUntil(async () => {
      await send("dead").answer;
      return harness.sink.records("queue").some(({ route }) => route === "/ours/dead");
    });
  });

  it("logs a record that nothing took: its event id and a count, never the record", async () => {
    harness.sink.set("queue", "refuse");
    harness.sink.set("ingest", { status: 503 });
    const { id } = send("lost", "?marker=1");
    await waitUntil(() => harness.sink.of(id).length > 0);
    const [record] = harness.sink.of(id).flatMap(decode);
    await waitUntil(() => harness.lines(`record ${record?.id} is lost`).length > 0);
    expect(harness.lines("is lost").join()).toMatch(
      /is lost: it waited \d+ ms; QStash does not take messages \(no connection\); the worker does not take messages \(status 503\); \d+ lost so far/,
    );
    expect(harness.gateway.logs()).not.toContain("marked-agent");
  });
});

describe("durable", () => {
  it("is enqueued before the caller has its answer", async () => {
    const release = harness.sink.hold("queue");
    const { id, answer } = send("durable");
    let isAnswered = false;
    void answer.then(() => (isAnswered = true));
    await waitUntil(() => harness.sink.of(id).length > 0);
    // Another request comes and goes meanwhile.
    await harness.call("plain", "/durable", { method: "POST" });
    expect(isAnswered).toBe(false);
    release();
    expect((await answer).status).toBe(200);
    expect(harness.sink.of(id)).toHaveLength(1);
  });

  it("goes out when the budget is over, although no path has answered, and the record spills", async () => {
    harness.sink.set("queue", "hang");
    harness.sink.set("ingest", "hang");
    const plain = await harness.call("plain", "/durable-late", { method: "POST" });
    const { id, answer } = send("durable-late");
    const { status, body, ms } = await answer;
    expect([status, body]).toEqual([200, plain.body]);
    expect(ms).toBeGreaterThanOrEqual(BUDGET_MS - 20);
    harness.sink.set("ingest", "accept");
    expect((await recordsOf(id))[0]).toMatchObject({ assurance: "durable", action: "key.rotated" });
    expect(new Set(spilled(id).map((record) => record.id)).size).toBe(1);
  });

  it("costs no more than the spill takes where the queue refuses", async () => {
    harness.sink.set("queue", "refuse");
    const { id, answer } = send("durable-spilled");
    const { ms } = await answer;
    expect(spilled(id)).toHaveLength(1);
    // It did not wait until the budget was over.
    expect(ms).toBeLessThan(PATIENT.budgetMs);
  });

  it("answers as the API does where nothing takes the record", async () => {
    harness.sink.set("queue", "refuse");
    harness.sink.set("ingest", "refuse");
    const { id, answer } = send("durable-kept");
    expect((await answer).status).toBe(200);
    // It is kept and tried again.
    harness.sink.set("ingest", "accept");
    await recordsOf(id);
  });
});

describe("required", () => {
  it("enqueues an intent before the handler, and the outcome under the same event id", async () => {
    const { id, answer } = send("required", "?id=user_9");
    expect((await answer).status).toBe(200);
    const [intent, outcome] = await recordsOf(id, 2);
    expect(intent).toMatchObject({
      stage: "intent",
      action: "user.deleted",
      outcome: "unknown",
      assurance: "required",
      targets: [{ id: "user_9" }],
    });
    expect(outcome).toMatchObject({ stage: "outcome", outcome: "success", id: intent?.id, sequence: intent?.sequence });
    const [first, second] = harness.sink.of(id);
    expect(first?.headers["upstash-deduplication-id"]).toBe(`${intent?.id}_intent`);
    expect(first?.headers["upstash-delay"]).toMatch(/^\d+s$/);
    expect(second?.headers["upstash-deduplication-id"]).toBe(intent?.id);
    expect(second?.headers).not.toHaveProperty("upstash-delay");
  });

  it("takes the spill for an intent too", async () => {
    harness.sink.set("queue", "refuse");
    const { id, answer } = send("required-spilled");
    expect((await answer).status).toBe(200);
    expect(spilled(id)[0]).toMatchObject({ stage: "intent" });
  });

  it("leaves the intent alone where no outcome comes", async () => {
    const { id, answer } = send("required-throws");
    expect((await answer).status).toBe(500);
    expect(accepted(id)).toMatchObject([{ stage: "intent", outcome: "unknown" }]);
  });

  it("refuses with 503 and Retry-After where nothing takes the intent, and records the refusal", async () => {
    harness.sink.set("queue", "hang");
    harness.sink.set("ingest", "refuse");
    const { id, answer } = send("required-refused");
    const { status, headers, body } = await answer;
    expect(status).toBe(503);
    expect(headers["content-type"]).toBe("application/problem+json");
    expect(Number(headers["retry-after"])).toBeGreaterThan(0);
    expect(JSON.parse(body)).toMatchObject({ status: 503, code: "audit_unavailable" });
    harness.sink.set("ingest", "accept");
    expect((await recordsOf(id))[0]).toMatchObject({ stage: "outcome", status: 503, outcome: "failure" });
  });

  it("asks again at once when the queue is back", async () => {
    harness.sink.set("queue", "refuse");
    harness.sink.set("ingest", "refuse");
    for (let count = 1; count <= 4; count++) expect((await send("required-again").answer).status).toBe(503);
    harness.sink.reset();
    expect((await send("required-again").answer).status).toBe(200);
  });
});

describe("a wrong option or a missing variable", () => {
  it("never harms the API, is named in one line, and the rest goes on", async () => {
    for (let i = 0; i < 3; i++) {
      const { id, answer } = send("unsound");
      expect((await answer).status).toBe(200);
      await recordsOf(id);
    }
    const named = () => harness.lines('"colour"');
    await waitUntil(() => named().length > 0);
    expect(named()).toHaveLength(1);
    expect(named()[0]).toContain('invalid_option: "coalesceMs" must be a whole number from 0 to 5000; 50 is used');
    expect(named()[0]).toContain('invalid_option: "colour" is not an option');
    expect(named()[0]).toContain('missing_variable: "ingestKey" has no value; set the variable AUDIT_INGEST_KEY');
  });

  it("leaves the API alone where there is no path out at all", async () => {
    const { id, answer } = send("pathless");
    expect((await answer).status).toBe(200);
    await waitUntil(() => harness.lines('invalid_variable: "qstashUrl" must be an http or https URL').length > 0);
    expect(harness.sink.of(id)).toEqual([]);
  });

  it("makes `required` refuse", async () => {
    const { status, body } = await send("required-unsound").answer;
    expect(status).toBe(503);
    expect(JSON.parse(body)).toMatchObject({ code: "audit_unavailable" });
  });
});
