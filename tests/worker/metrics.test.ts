/** `/metrics` and the log: what is counted and written, and what never is. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { render, type Snapshot } from "../../worker/metrics-text.ts";
import { ADMIN_TOKEN, startDirect, type Direct } from "./support/direct.ts";
import { until } from "./support/local-path.ts";
import { recordOf, recordsOf } from "./support/records.ts";

const EMPTY: Snapshot = {
  numbers: {},
  waiting: 0,
  oldestWaitingMs: null,
  outboxWaiting: 0,
  outboxOldestMs: null,
  isPaused: false,
  tally: {},
  waitingMessages: 0,
  storage: [],
  evidence: undefined,
  deadLetters: [],
};

/** Samples by name and labels. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

describe("the text", () => {
  it("is Prometheus's format: help, type and samples of each metric, each sample once", () => {
    const lines = render(EMPTY, 0).trimEnd().split("\n");
    for (const line of lines)
      expect(line).toMatch(/^(# (HELP|TYPE) audit_\w+ .+|audit_\w+(\{\w+="[^"]*"\})? [\d.e+-]+)$/);
    const samples = lines.filter((line) => !line.startsWith("#")).map((line) => line.split(" ")[0]);
    expect(new Set(samples).size).toBe(samples.length);
    const names = lines.filter((line) => line.startsWith("# TYPE")).map((line) => line.split(" ")[2]);
    for (const sample of samples) expect(names.some((name) => sample?.startsWith(String(name)))).toBe(true);
  });

  // https://prometheus.io/docs/practices/naming/
  it("names counters *_total, and what it measures in seconds or bytes", () => {
    for (const [, name = "", type] of render(EMPTY, 0).matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      expect([name, name.endsWith("_total")]).toEqual([name, type === "counter"]);
      expect(name).not.toMatch(/_(ms|milliseconds|minutes|hours|days|kb|mb|count|sum|bucket|counter|gauge)$/);
    }
  });

  it("names nothing that docs/api.md does not describe", () => {
    const described = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");
    const text = render({ ...EMPTY, evidence: { sealedUntilMs: 0, size: 0, failing: undefined } }, 0);
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(names).toHaveLength(25);
    for (const name of names) expect(described).toMatch(new RegExp(`\`${name}[\`{]`));
  });

  it("adds up the buckets of a histogram", () => {
    const numbers = { "latency_le_0.05": 2, latency_le_1: 3, latency_le_inf: 1, latency_sum: 20.5 };
    const samples = samplesOf(render({ ...EMPTY, numbers }, 0));
    expect(samples.get('audit_attempt_duration_seconds_bucket{le="0.05"}')).toBe(2);
    expect(samples.get('audit_attempt_duration_seconds_bucket{le="0.5"}')).toBe(2);
    expect(samples.get('audit_attempt_duration_seconds_bucket{le="1"}')).toBe(5);
    expect(samples.get('audit_attempt_duration_seconds_bucket{le="15"}')).toBe(5);
    expect(samples.get('audit_attempt_duration_seconds_bucket{le="+Inf"}')).toBe(6);
    expect(samples.get("audit_attempt_duration_seconds_count")).toBe(6);
    expect(samples.get("audit_attempt_duration_seconds_sum")).toBe(20.5);
  });

  it("says how old the newest digest is and how long an anchor has failed, only where evidence is kept", () => {
    expect(render(EMPTY, 0)).not.toContain("evidence");
    const evidence = { sealedUntilMs: 900_000, size: 7, failing: { kind: "webhook", sinceMs: 1_000_000 } } as const;
    const samples = samplesOf(render({ ...EMPTY, evidence }, 1_800_500));
    expect(samples.get("audit_evidence_digests_total")).toBe(7);
    expect(samples.get("audit_evidence_unsealed_seconds")).toBe(900.5);
    expect(samples.get("audit_evidence_anchor_failing_seconds")).toBe(800.5);
    const fine = samplesOf(render({ ...EMPTY, evidence: { ...evidence, failing: undefined } }, 1_800_500));
    expect(fine.get("audit_evidence_anchor_failing_seconds")).toBe(0);
  });

  it("says ages in seconds, and dead letters for every class", () => {
    const samples = samplesOf(
      render(
        {
          ...EMPTY,
          waiting: 3,
          oldestWaitingMs: 40_000,
          outboxWaiting: 2,
          outboxOldestMs: 90_500,
          isPaused: true,
          deadLetters: [{ value: "rejected", count: 7 }],
        },
        100_000,
      ),
    );
    expect(samples.get("audit_oldest_waiting_seconds")).toBe(60);
    expect(samples.get("audit_outbox_oldest_seconds")).toBe(9.5);
    expect(samples.get("audit_paused")).toBe(1);
    expect(samples.get('audit_dead_letters{class="rejected"}')).toBe(7);
    expect(samples.get('audit_dead_letters{class="unreadable"}')).toBe(0);
  });
});

describe("what is counted and logged", () => {
  let direct: Direct;
  beforeAll(async () => {
    direct = await startDirect();
  });
  afterAll(() => direct.stop());

  const SECRET = "secret@example.com";
  const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  it("is each record once, whatever became of it", async () => {
    const [good, bad, late] = [
      recordOf({ actor: { id: SECRET, type: "user", name: SECRET }, traceparent: TRACE, metadata: { mail: SECRET } }),
      recordOf(),
      recordOf(),
    ];
    direct.workos.faults.add({ match: { event_id: bad.id }, status: 422, body: { message: SECRET } });
    direct.workos.faults.add({ match: { event_id: late.id }, status: 500, body: {}, times: 1 });
    await direct.deliver([good, bad, late]);
    await direct.deliver([good, bad, late], { "upstash-retried": "1" });
    await direct.deliver(recordsOf(2));

    const response = await fetch(`${direct.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4");
    const samples = samplesOf(await response.text());
    const expected = {
      audit_records_seen_total: 5,
      'audit_attempts_total{outcome="delivered"}': 4,
      'audit_attempts_total{outcome="retry"}': 1,
      'audit_attempts_total{outcome="reject"}': 1,
      audit_ambiguous_attempts_total: 1,
      audit_duplicates_avoided_total: 1,
      audit_waiting_records: 0,
      audit_attempt_duration_seconds_count: 6,
      audit_delivery_age_seconds_count: 4,
      'audit_dead_letters{class="rejected"}': 1,
    };
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, samples.get(name)]))).toEqual(expected);

    // The log comes through a pipe of its own.
    const lines = await until(
      () => direct.log().filter((line) => line["event.name"] === "audit.attempt"),
      (found) => found.length >= 8,
    );
    expect(lines).toHaveLength(8);
    expect(lines.find((line) => line["audit.event_id"] === good.id)).toMatchObject({
      severity_text: "INFO",
      "audit.result": "delivered",
      "audit.attempt_number": 1,
      "audit.idempotency_key": good.id,
      "audit.wrote": "yes",
      "http.response.status_code": 200,
      "messaging.system.name": "qstash",
      "messaging.message.id": "msg_1",
      trace_id: "0af7651916cd43dd8448eb211c80319c",
      span_id: "b7ad6b7169203331",
    });
    expect(lines.find((line) => line["audit.event_id"] === bad.id)).toMatchObject({
      severity_text: "ERROR",
      "audit.result": "dead_letter",
      "error.type": "http_422",
    });
    expect(lines.find((line) => line["audit.event_id"] === late.id)).toMatchObject({
      severity_text: "WARN",
      "error.type": "http_500",
      "audit.wrote": "maybe",
    });
    expect(JSON.stringify(direct.log())).not.toContain(SECRET);
  });
});
