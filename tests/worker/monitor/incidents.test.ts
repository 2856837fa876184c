/** What the worker tells people: once when it starts and once when it ends, on real parts and through the cron. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ALERT_KEY, startAlertReceiver } from "../support/alerts.ts";
import { startLocalPath, until, type LocalPath } from "../support/local-path.ts";
import { spill } from "../support/ingest.ts";
import { messageOf, recordOf } from "../support/records.ts";
import { INGEST_KEY, startDirect } from "../support/direct.ts";

/** WorkOS is up and does not take this event now, so that the breaker stays closed however long the attempts take. */
const REFUSED = { status: 409, body: { message: "m" } };

let path: LocalPath;
let alerts: Awaited<ReturnType<typeof startAlertReceiver>>;

beforeEach(async () => {
  alerts = await startAlertReceiver();
  path = await startLocalPath({ AUDIT_ALERT_URL: alerts.url, AUDIT_ALERT_KEY: ALERT_KEY });
});
afterEach(async () => {
  await path.stop();
  await alerts.stop();
});

async function told(...expected: string[]): Promise<void> {
  await until(alerts.seen, (seen) => seen.length >= expected.length);
  expect(alerts.seen()).toEqual(expected);
}
const kinds = async () =>
  ((await path.get("/health")).json.incidents as { kind: string }[]).map(({ kind }) => kind).toSorted();

/** The incidents that stay open for a minute of rounds. A call that takes over 10 s on a busy machine opens one for a round only. */
async function lastingKinds(): Promise<readonly string[]> {
  const endMs = Date.now() + 60_000;
  for (;;) {
    await path.scheduled();
    const open = await kinds();
    if (open.length === 0 || Date.now() > endMs) return open;
  }
}

describe("dead letters", () => {
  it("of a class are one incident, however many, until none of the class is open", async () => {
    path.workos.faults.add({ status: 422, body: { message: "m" } });
    const records = [recordOf(), recordOf(), recordOf()];
    for (const record of records) await path.publish([record]);
    await path.queue.idle();
    await told("dead_letters_rejected started");
    expect(await kinds()).toEqual(["dead_letters_rejected"]);
    await path.scheduled();
    expect(await kinds()).toEqual(["dead_letters_rejected"]);

    for (const { id } of records.slice(0, 2)) await path.post(`/api/dead-letters/${id}/discard`, { reason: "test" });
    await path.scheduled();
    expect(await kinds()).toEqual(["dead_letters_rejected"]);
    await path.post(`/api/dead-letters/${records[2]?.id}/discard`, { reason: "test" });
    await path.scheduled();
    await told("dead_letters_rejected started", "dead_letters_rejected ended");
    expect((await path.get("/health")).json.status).toBe("ok");
  });

  it("that the queue gave up on are told of too", async () => {
    path.workos.faults.add(REFUSED);
    await path.publish([recordOf()]);
    await path.exhaust();
    await path.scheduled();
    await told("dead_letters_exhausted started");
    expect(await kinds()).toEqual(["dead_letters_exhausted"]);
  });
});

describe("a record that waits too long", () => {
  it("for WorkOS is an incident until it is delivered", async () => {
    const record = recordOf({ occurredAtMs: Date.now() - 16 * 60_000 });
    path.workos.faults.add(REFUSED);
    await path.publish([record]);
    await path.queue.idle();
    await path.scheduled();
    await told("undelivered_too_long started");
    expect(alerts.alerts[0]?.data.detail).toContain(new Date(record.occurredAtMs).toISOString());

    path.workos.faults.clear();
    path.clock.advance(60_001);
    await path.queue.idle();
    await path.scheduled();
    await told("undelivered_too_long started", "undelivered_too_long ended");
    expect(path.workos.events()).toHaveLength(1);
  });

  it("for WorkOS opens no incident of its own in an outage, which is reported once", async () => {
    path.workos.faults.add({ status: 503 });
    const records = Array.from({ length: 5 }, () => recordOf({ occurredAtMs: Date.now() - 16 * 60_000 }));
    for (const record of records) await path.publish([record]);
    await told("destination_down started");
    await path.scheduled();
    expect(await kinds()).toEqual(["destination_down"]);

    path.workos.faults.clear();
    await path.post("/api/resume");
    path.clock.advance(60_001);
    await until(
      () => path.workos.events().length,
      (count) => count === records.length,
    );
    await path.scheduled();
    await told("destination_down started", "destination_down ended");
  });

  it("for a short time is none", async () => {
    path.workos.faults.add(REFUSED);
    await path.publish([recordOf({ occurredAtMs: Date.now() - 10 * 60_000 })]);
    await path.queue.idle();
    expect(await lastingKinds()).toEqual([]);
  });
});

describe("the queue", () => {
  it("that does not answer is an incident until it does", async () => {
    path.queue.setFaults({ all: { status: 500 } });
    await path.scheduled();
    await path.scheduled();
    await told("queue_unreachable started");
    expect(await kinds()).toEqual(["queue_unreachable"]);
    path.queue.clearFaults();
    await path.scheduled();
    await told("queue_unreachable started", "queue_unreachable ended");
    expect(await kinds()).toEqual([]);
  });

  it("that has never heard of the flow-control key is no incident: nothing was published yet", async () => {
    expect(await lastingKinds()).toEqual([]);
  });

  it("that refuses what the outbox brings is one too, and the outbox itself says when it is over", async () => {
    path.queue.setFaults({ publish: { status: 503 } });
    await spill(path.url, messageOf(recordOf()), { key: INGEST_KEY });
    // The outbox waits between its tries, and longer after each failure.
    const seenLater = async () => {
      await path.advanceWorker(1_000);
      return alerts.seen();
    };
    await until(seenLater, (seen) => seen.length === 1);
    await told("queue_unreachable started");
    expect(alerts.alerts[0]?.data.detail).toBe("publishing to QStash fails: http_503");
    path.queue.clearFaults();
    await until(seenLater, (seen) => seen.length === 2);
    await told("queue_unreachable started", "queue_unreachable ended");
  });
});

it("an alert names its incident, its start and its end, and holds nothing of any event", async () => {
  path.workos.faults.add({
    status: 400,
    body: { errors: [{ instancePath: "/x", data: "secret@example.com" }] },
    times: 1,
  });
  const record = recordOf({ actor: { id: "secret-actor", type: "user" } });
  await path.publish([record]);
  await path.queue.idle();
  await told("dead_letters_rejected started");
  await path.post(`/api/dead-letters/${record.id}/discard`, { reason: "test" });
  await path.scheduled();
  await until(alerts.seen, (seen) => seen.length === 2);
  const [started, ended] = alerts.alerts;
  expect(started).toEqual({
    type: "audit_forwarder.incident.started",
    timestamp: started?.data.since,
    data: {
      incident: "dead_letters_rejected",
      detail: 'dead letters of class "rejected" wait for an operator',
      since: started?.data.since,
    },
  });
  expect(ended).toMatchObject({ type: "audit_forwarder.incident.ended", data: { since: started?.data.since } });
  expect(Date.parse(ended?.data.until ?? "")).toBeGreaterThanOrEqual(Date.parse(started?.data.since ?? ""));
  expect(JSON.stringify(alerts.alerts)).not.toMatch(/secret/);
});

it("incidents of one moment are one alert each, though the receiver is slow", async () => {
  const direct = await startDirect({ vars: { AUDIT_ALERT_URL: alerts.url, AUDIT_ALERT_KEY: ALERT_KEY } });
  try {
    alerts.delay(300);
    direct.workos.faults.add({ status: 422, body: { message: "m" } });
    const message = JSON.parse(messageOf(recordOf())) as { records: unknown[] };
    message.records.push({ id: "broken-1" });
    expect((await direct.deliver(JSON.stringify(message))).status).toBe(489);
    await direct.admin("POST", "/api/pause");
    await until(alerts.seen, (seen) => seen.includes("paused started"));
    expect(alerts.seen().toSorted()).toEqual([
      "dead_letters_rejected started",
      "dead_letters_unreadable started",
      "paused started",
    ]);
  } finally {
    await direct.stop();
  }
});
