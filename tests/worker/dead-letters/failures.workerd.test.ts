/** What is kept of reported failures, in the real Durable Object of the dead letters. */
import { beforeEach, describe, expect, it } from "vitest";
import { runInDurableObject } from "cloudflare:test";
import { get, post, deadLetterObject } from "../support/api.workerd.ts";
import { IDEMPOTENCY_SAFE_MS } from "../../../shared/limits.ts";
import { eventId, letter, numberedRecord, CAPTURED_MS } from "../support/letters.ts";

beforeEach(() =>
  runInDurableObject(deadLetterObject(), (_, { storage }) => {
    for (const table of ["dead_letters", "links", "sightings", "removals", "replays", "items"])
      storage.sql.exec(`DELETE FROM ${table}`);
  }),
);

const entry = async (number: number) => (await get(`/api/dead-letters/${eventId(number)}`)).json;
const removals = () =>
  runInDurableObject(deadLetterObject(), (_, { storage }) =>
    storage.sql
      .exec("SELECT dlq_id FROM removals")
      .toArray()
      .map((row) => row["dlq_id"]),
  );

describe("one failure, reported several times", () => {
  it("is one entry, whoever comes first", async () => {
    const byWorker = letter(1, {
      class: "rejected",
      wrote: "no",
      reason: "http_400 invalid",
      status: 400,
      attempts: 1,
      source: "worker",
    });
    const byCallback = letter(1, { class: "rejected", wrote: "no", source: "failure_callback", dlqId: "1-0" });
    expect(await deadLetterObject().park([byWorker])).toBe(1);
    expect(await deadLetterObject().park([byCallback])).toBe(0);
    expect(await deadLetterObject().park([{ ...byCallback, source: "sweep" }])).toBe(0);
    expect(await entry(1)).toMatchObject({
      class: "rejected",
      reason: "http_400 invalid",
      status: 400,
      source: "worker",
      dlq_id: "1-0",
      history: [],
    });
    expect(await get("/api/dead-letters")).toMatchObject({ json: { dead_letters: [{ event_id: eventId(1) }] } });
  });

  it("takes the record that saw the outcome in place of an intent", async () => {
    await deadLetterObject().park([letter(1, {}, { stage: "intent", outcome: "unknown" })]);
    await deadLetterObject().park([letter(1, { messageId: "other" }, { action: "user.deleted" })]);
    expect(await entry(1)).toMatchObject({ action: "user.deleted", record: { stage: "outcome" } });
    await deadLetterObject().park([letter(1, {}, { stage: "intent", action: "intent.again" })]);
    expect(await entry(1)).toMatchObject({ action: "user.deleted" });
  });

  it("never forgets that WorkOS may have written it", async () => {
    await deadLetterObject().park([letter(1, { wrote: "no" })]);
    await deadLetterObject().park([letter(1, { wrote: "maybe" })]);
    expect(await entry(1)).toMatchObject({ wrote: "maybe" });
    await deadLetterObject().park([letter(1, { wrote: "no" })]);
    expect(await entry(1)).toMatchObject({
      wrote: "maybe",
      safe_until: new Date(CAPTURED_MS + 1_000 + IDEMPOTENCY_SAFE_MS).toISOString(),
    });
  });
});

describe("a new failure of the same event id", () => {
  const replayed = (n: number) => ({ record: numberedRecord(1, { replay: { id: `rp_${n}`, n } }) });

  it("moves the earlier one into the history", async () => {
    await deadLetterObject().park([letter(1)]);
    await deadLetterObject().park([letter(1, { ...replayed(1), reason: "http_500", messageId: "m1" })]);
    await deadLetterObject().park([letter(1, { ...replayed(2), reason: "http_502", messageId: "m2" })]);
    const { reason, replays, history } = await entry(1);
    expect({ reason, replays }).toEqual({ reason: "http_502", replays: 2 });
    expect(history).toMatchObject([{ reason: "http_503" }, { reason: "http_500", replay_id: "rp_1" }]);
    expect(history[0]).not.toHaveProperty("replay_id");
  });

  it("is not undone by a late report of the earlier one", async () => {
    await deadLetterObject().park([letter(1, { ...replayed(1), reason: "http_500" })]);
    await deadLetterObject().park([letter(1, { reason: "late", attempts: 9, source: "worker", messageId: "other" })]);
    expect(await entry(1)).toMatchObject({ reason: "http_500", attempts: 4, history: [] });
  });

  it("keeps at most 20 earlier failures", async () => {
    for (let n = 0; n <= 25; n++) await deadLetterObject().park([letter(1, n === 0 ? {} : replayed(n))]);
    expect((await entry(1)).history).toHaveLength(20);
  });
});

describe("discarding", () => {
  it("leaves a tombstone that a late report does not open again", async () => {
    await deadLetterObject().park([letter(1)]);
    const first = await post(`/api/dead-letters/${eventId(1)}/discard`, { reason: "test traffic" });
    expect(first).toMatchObject({
      status: 200,
      json: { state: "discarded", discarded: { reason: "test traffic", by: "admin" } },
    });
    const second = await post(`/api/dead-letters/${eventId(1)}/discard`, { reason: "another" });
    expect(second.json.discarded).toEqual(first.json.discarded);
    const replayed = numberedRecord(1, { replay: { id: "rp_1", n: 1 } });
    await deadLetterObject().park([letter(1, { dlqId: "9-0" }), letter(1, { record: replayed })]);
    expect(await entry(1)).toMatchObject({ state: "discarded", history: [] });
    expect((await get("/api/dead-letters")).json.dead_letters).toEqual([]);
    expect((await get("/api/dead-letters?state=discarded")).json.dead_letters).toHaveLength(1);
    expect((await get(`/api/events/${eventId(1)}`)).json.state).toBe("discarded");
    expect(await removals()).toEqual([]);
  });
});

describe("an unreadable message", () => {
  it("is kept as bytes that only reveal shows", async () => {
    const body = btoa("not json");
    await deadLetterObject().park([
      {
        eventId: "unreadable-1",
        class: "unreadable",
        wrote: "no",
        reason: "unreadable the body is not JSON",
        attempts: 1,
        body,
        source: "worker",
      },
    ]);
    const { json } = await get("/api/dead-letters/unreadable-1");
    expect(json).toMatchObject({ class: "unreadable", body_bytes: 8, hidden: [] });
    expect(json).not.toHaveProperty("body");
    expect(json).not.toHaveProperty("record");
    expect((await get("/api/dead-letters/unreadable-1?reveal=true")).json.body).toBe(body);
  });
});

describe("what a route selected", () => {
  it("is hidden, with its keys shown, unless revealed", async () => {
    const metadata = { plan: "pro" };
    await deadLetterObject().park([
      letter(
        1,
        {},
        { metadata, actor: { id: "u", type: "user", metadata }, targets: [{ id: "t", type: "team", metadata }] },
      ),
    ]);
    const hidden = await entry(1);
    expect(JSON.stringify(hidden)).not.toContain('"pro"');
    expect(hidden.hidden.toSorted()).toEqual([
      "record.actor.metadata.plan",
      "record.metadata.plan",
      "record.targets.0.metadata.plan",
    ]);
    expect(hidden.record.metadata).toEqual({ plan: "[hidden]" });
    const revealed = (await get(`/api/dead-letters/${eventId(1)}?reveal=true`)).json;
    expect(revealed).toMatchObject({ hidden: [], record: { metadata, actor: { metadata } } });
  });
});
