/** `GET /api/events`: what is said of a record is what became of it, wherever it got to. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { ATTEMPT_FIELDS, EVENT_FIELDS } from "../../../shared/event-answers.ts";
import { mintEventId } from "../../../shared/event-id.ts";
import type { AuditRecord } from "../../../shared/record.ts";
import type { DeadLetterEntry } from "../../../worker/dead-letters/entry.ts";
import { ledgerPort } from "../../../worker/ledger/client.ts";
import { durableSql } from "../../../worker/storage/durable-sql.ts";
import { OutboxStore } from "../../../worker/outbox/store.ts";
import { outboxOf } from "../../../worker/outbox/client.ts";
import { get, post, deadLetterObject, workerEnv } from "../support/api.workerd.ts";
import { messageOf, recordOf } from "../support/records.ts";

const CAPTURED_MS = Date.UTC(2026, 10, 20);
const CAPTURED = new Date(CAPTURED_MS).toISOString();

/** A record that QStash gave up on before any delivery of it got as far as the ledger. */
async function parkUnseen(fields: Partial<AuditRecord> = {}): Promise<AuditRecord> {
  const record = recordOf({ occurredAtMs: CAPTURED_MS, ...fields });
  const letter: DeadLetterEntry = {
    eventId: record.id,
    class: "exhausted",
    wrote: "no",
    reason: "not_attempted worker did not answer",
    attempts: 4,
    record,
    source: "sweep",
  };
  await deadLetterObject().park([letter]);
  return record;
}

it("answers with the fields of the contract and no others", async () => {
  const { id, occurredAtMs } = await parkUnseen();
  const ledger = ledgerPort(workerEnv);
  await ledger.claim("lease", [{ id, stage: "outcome", body: "{}", occurredAtMs, requestId: "r1" }], Date.now());
  const attempt = { atMs: 1, durationMs: 2, outcome: "reject", wrote: "no", status: 400, reason: "http_400" } as const;
  await ledger.settle("lease", [{ id, attempt }], Date.now());
  const { json } = await get(`/api/events/${id}`);
  const { corrects: _late, late_outcome: _ofAnother, ...always } = EVENT_FIELDS;
  expect(Object.keys(json).toSorted()).toEqual(Object.keys(always).toSorted());
  expect(Object.keys(json.attempts[0])).toEqual(Object.keys(ATTEMPT_FIELDS));
});

describe("a dead letter that the ledger has never seen", () => {
  it("was captured when its request was, and still so once it is discarded: no attempt is made up", async () => {
    const { id } = await parkUnseen();
    expect((await get(`/api/events/${id}`)).json).toMatchObject({
      state: "dead_letter",
      occurred_at: CAPTURED,
      attempts: [],
      dead_letter: { class: "exhausted", attempts: 4 },
    });
    await post(`/api/dead-letters/${id}/discard`, { reason: "a test" });
    const { json } = await get(`/api/events/${id}`);
    expect(json).toMatchObject({ state: "discarded", occurred_at: CAPTURED, attempts: [] });
    expect(json).not.toHaveProperty("first_attempt_at");
  });

  it("is found by its request id, beside what the ledger knows, oldest first", async () => {
    const requestId = crypto.randomUUID();
    const second = recordOf({ occurredAtMs: CAPTURED_MS + 1_000, requestId });
    const claim = {
      id: second.id,
      stage: "outcome",
      body: "{}",
      occurredAtMs: second.occurredAtMs,
      requestId,
    } as const;
    await ledgerPort(workerEnv).claim("lease", [claim], Date.now());
    const first = await parkUnseen({ requestId });
    const third = await parkUnseen({ occurredAtMs: CAPTURED_MS + 2_000, requestId });
    await parkUnseen({ requestId: "another" });
    await parkUnseen({ occurredAtMs: CAPTURED_MS + 86_400_000, requestId });

    const until = new Date(CAPTURED_MS + 60_000).toISOString();
    const { json } = await get(`/api/events?request_id=${requestId}&since=${CAPTURED}&until=${until}`);
    expect(json.events.map((event: { event_id: string }) => event.event_id)).toEqual([first.id, second.id, third.id]);
    expect(json.events.map((event: { state: string }) => event.state)).toEqual([
      "dead_letter",
      "pending",
      "dead_letter",
    ]);
  });

  it("that the ledger comes to know is told as the ledger knows it, whatever the record's own time", async () => {
    const requestId = crypto.randomUUID();
    const record = await parkUnseen({ requestId });
    const claim = { id: record.id, stage: "outcome", body: "{}", occurredAtMs: CAPTURED_MS } as const;
    const attempt = { atMs: CAPTURED_MS, durationMs: 1, outcome: "delivered", wrote: "yes", status: 200 } as const;
    await ledgerPort(workerEnv).claim("lease", [claim], CAPTURED_MS);
    await ledgerPort(workerEnv).settle("lease", [{ id: record.id, attempt }], CAPTURED_MS);
    const { json } = await get(`/api/events?request_id=${requestId}&since=${CAPTURED}`);
    expect(json.events).toMatchObject([{ event_id: record.id, state: "delivered", where: "workos" }]);
  });
});

describe("a request id that a client has chosen for many requests", () => {
  const claimOf = (record: AuditRecord) => ({
    id: record.id,
    stage: "outcome" as const,
    body: "{}",
    occurredAtMs: record.occurredAtMs,
    requestId: record.requestId ?? "",
  });

  it("is answered in pages, oldest first, each record once, and a page says whether there are more", async () => {
    const requestId = crypto.randomUUID();
    const records = Array.from({ length: 125 }, (_, n) => {
      const occurredAtMs = CAPTURED_MS + n * 1_000;
      // All over the shards of the ledger.
      const id = mintEventId(occurredAtMs, crypto.getRandomValues(new Uint8Array(9)), n * 7);
      return recordOf({ occurredAtMs, requestId, id });
    });
    const [parked, claimed] = [records.filter((_, n) => n % 25 === 3), records.filter((_, n) => n % 25 !== 3)];
    await ledgerPort(workerEnv).claim("lease", claimed.map(claimOf), CAPTURED_MS);
    for (const record of parked) await parkUnseen(record);
    const pages: string[][] = [];
    const span = `since=${CAPTURED}&until=${new Date(CAPTURED_MS + 3_600_000).toISOString()}`;
    for (let cursor: string | undefined = ""; cursor !== undefined;) {
      const more = cursor === "" ? "" : `&cursor=${cursor}`;
      const { status, json } = await get(`/api/events?request_id=${requestId}&${span}${more}`);
      expect(status).toBe(200);
      pages.push(json.events.map((event: { event_id: string }) => event.event_id));
      cursor = json.cursor as string | undefined;
    }
    expect(pages.map((page) => page.length)).toEqual([50, 50, 25]);
    expect(pages.flat()).toEqual(records.map(({ id }) => id));
    const whole = await get(`/api/events?request_id=${requestId}&${span}&limit=100`);
    expect([whole.json.events.length, typeof whole.json.cursor]).toEqual([100, "string"]);
  });

  it("that fills its page exactly has no more", async () => {
    const requestId = crypto.randomUUID();
    const records = [recordOf({ requestId }), recordOf({ requestId })];
    await ledgerPort(workerEnv).claim("lease", records.map(claimOf), Date.now());
    const { json } = await get(`/api/events?request_id=${requestId}&limit=2`);
    expect(json.events).toHaveLength(2);
    expect(json).not.toHaveProperty("cursor");
  });

  it.each(["limit=0", "limit=101", "limit=x", "limit=1.5", "cursor=", "cursor=x", "since=never"])(
    "is refused with %s",
    async (wrong) => {
      const { status, json } = await get(`/api/events?request_id=x&${wrong}`);
      expect([status, json.code]).toEqual([400, "invalid_request"]);
      expect(json.detail).toContain(`"${wrong.split("=")[0]}"`);
    },
  );
});

it("a replayed record's first attempt is its first, not that of the key that it has now", async () => {
  const { id } = recordOf();
  const port = ledgerPort(workerEnv);
  const claim = { id, stage: "outcome", body: "{}", occurredAtMs: CAPTURED_MS } as const;
  const attempt = { atMs: CAPTURED_MS + 5, durationMs: 1, outcome: "reject", wrote: "no", status: 422 } as const;
  await port.claim("first", [claim], CAPTURED_MS);
  await port.settle("first", [{ id, attempt }], CAPTURED_MS + 6);
  const replay = { n: 1, mended: false, acceptDuplicates: false };
  await port.claim("second", [{ ...claim, replay }], CAPTURED_MS + 3_600_000);
  const { json } = await get(`/api/events/${id}`);
  expect(json.idempotency_key).toBe(`${id}:r1`);
  expect(json.first_attempt_at).toBe(json.attempts[0].at);
});

it("a record waits in the outbox only where a message holds it, not where one names it as its parent", async () => {
  const parent = recordOf();
  const child = recordOf({ parentId: parent.id });
  const deduplicationId = child.id;
  const message = { deduplicationId, body: messageOf(child), delaySeconds: 0, receivedMs: Date.now() };
  // Past its own `add`, which would also set an alarm that publishes.
  await runInDurableObject(outboxOf(workerEnv, deduplicationId), (_, { storage }) =>
    new OutboxStore(durableSql(storage)).add(message),
  );
  expect((await get(`/api/events/${child.id}`)).json).toMatchObject({ state: "pending", where: "outbox" });
  expect((await get(`/api/events/${parent.id}`)).json).toEqual({ event_id: parent.id, state: "unknown", attempts: [] });
});

it("a message nested deeper than SQLite reads JSON, as it waits in the outbox, is still found there", async () => {
  const { id } = recordOf();
  const body = `{"v":1,"records":[{"id":"${id}","x":${"[".repeat(2_000)}${"]".repeat(2_000)}}]}`;
  await runInDurableObject(outboxOf(workerEnv, id), (_, { storage }) =>
    new OutboxStore(durableSql(storage)).add({ deduplicationId: id, body, delaySeconds: 0, receivedMs: Date.now() }),
  );
  expect((await get(`/api/events/${id}`)).json).toMatchObject({ state: "pending", where: "outbox" });
  expect((await get("/api/events/unheard-of")).json).toMatchObject({ state: "unknown" });
});

it("a time at the end of all times is no failure", async () => {
  const { status, json } = await get("/api/events?request_id=x&until=-271821-04-20T00:00:00Z");
  expect([status, json.events]).toEqual([200, []]);
});
