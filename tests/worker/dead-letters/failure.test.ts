/** What a message that QStash gave up on becomes, record by record. */
import { describe, expect, it } from "vitest";
import { LEDGER_RETENTION_MS } from "../../../shared/limits.ts";
import { encodeMessage } from "../../../shared/wire.ts";
import { deadLettersOf, type FailedMessage } from "../../../worker/dead-letters/failure.ts";
import type { LedgerAttempt, LedgerEntry } from "../../../worker/ledger/types.ts";
import { eventId, CAPTURED_MS, numberedRecord } from "../support/letters.ts";

const NOW = CAPTURED_MS + 86_400_000;

const messageOf = (...numbers: number[]) => encoded(encodeMessage(numbers.map((number) => numberedRecord(number))));
const encoded = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const failed = (body: Uint8Array, changes: Partial<FailedMessage> = {}): FailedMessage => ({
  body,
  attempts: 4,
  status: 503,
  createdAtMs: CAPTURED_MS,
  messageId: "msg_1",
  dlqId: "1-0",
  source: "failure_callback",
  ...changes,
});

const attempt = (changes: Partial<LedgerAttempt> = {}): LedgerAttempt => ({
  atMs: CAPTURED_MS + 5_000,
  durationMs: 90,
  outcome: "retry",
  wrote: "maybe",
  status: 503,
  reason: "http_503",
  ...changes,
});

const ledgerOf = (entries: Record<number, Partial<LedgerEntry>>) => async (ids: readonly string[]) =>
  new Map(
    Object.entries(entries).map(([number, changes]) => {
      const id = eventId(Number(number));
      expect(ids).toContain(id);
      const entry: LedgerEntry = {
        id,
        state: "pending",
        wrote: "no",
        stage: "outcome",
        key: id,
        replays: 0,
        attempts: [],
        leased: false,
        ...changes,
      };
      return [id, entry];
    }),
  );

describe("a record", () => {
  it.each<[string, Partial<LedgerEntry> | undefined, object | undefined]>([
    ["that was delivered is left out", { state: "delivered", wrote: "yes" }, undefined],
    ["that was discarded is left out", { state: "discarded" }, undefined],
    [
      "that every attempt failed for is exhausted",
      {
        wrote: "maybe",
        attempts: [attempt(), attempt({ atMs: CAPTURED_MS + 9_000 })],
        firstAttemptAtMs: CAPTURED_MS + 5_000,
      },
      {
        class: "exhausted",
        wrote: "maybe",
        reason: "http_503",
        status: 503,
        attempts: 2,
        firstAttemptAtMs: CAPTURED_MS + 5_000,
        lastAttemptAtMs: CAPTURED_MS + 9_000,
      },
    ],
    [
      "that WorkOS rejected is rejected, with the ledger's reason",
      {
        state: "rejected",
        reason: "http_400 /targets",
        attempts: [attempt({ outcome: "reject", status: 400, wrote: "no" })],
      },
      { class: "rejected", wrote: "no", reason: "http_400 /targets", status: 400, attempts: 1 },
    ],
    [
      "whose last attempt met a wrong key is of class credential",
      {
        attempts: [
          attempt({ wrote: "no", reason: "http_500" }),
          attempt({ outcome: "pause", status: 401, wrote: "no", reason: "http_401" }),
        ],
      },
      { class: "credential", wrote: "no", reason: "http_401", status: 401 },
    ],
    [
      "that the worker never saw was not attempted",
      undefined,
      { class: "exhausted", wrote: "no", reason: "not_attempted worker answered 503", attempts: 4 },
    ],
  ])("%s", async (_, entry, expected) => {
    const letters = await deadLettersOf(failed(messageOf(1)), ledgerOf(entry ? { 1: entry } : {}), NOW);
    const common = { eventId: eventId(1), messageId: "msg_1", dlqId: "1-0" };
    expect(letters).toMatchObject(expected === undefined ? [] : [{ ...expected, ...common }]);
  });

  const unavailable = attempt({ wrote: "maybe" });
  const unauthorized = attempt({ outcome: "pause", status: 401, wrote: "no", reason: "http_401" });
  it.each<[string, "credential" | "operator", Partial<LedgerEntry> | undefined, object]>([
    [
      "a wrong key, before it was ever tried",
      "credential",
      undefined,
      { class: "credential", wrote: "no", reason: "paused_by_credential", attempts: 4 },
    ],
    [
      "a wrong key, after other failures",
      "credential",
      { wrote: "maybe", attempts: [unavailable, unavailable] },
      { class: "credential", wrote: "maybe", reason: "paused_by_credential after http_503", status: 503, attempts: 2 },
    ],
    [
      "a wrong key that it had met itself",
      "credential",
      { attempts: [unauthorized] },
      { class: "credential", wrote: "no", reason: "http_401", status: 401, attempts: 1 },
    ],
    [
      "a wrong key, after a definite no that was not archived",
      "credential",
      { state: "rejected", reason: "http_422" },
      { class: "rejected", wrote: "no", reason: "http_422" },
    ],
    [
      "an operator, before it was ever tried",
      "operator",
      undefined,
      { class: "exhausted", wrote: "no", reason: "paused_by_operator", attempts: 4 },
    ],
    [
      "an operator, after other failures",
      "operator",
      { wrote: "maybe", attempts: [unavailable] },
      { class: "exhausted", wrote: "maybe", reason: "paused_by_operator after http_503", status: 503 },
    ],
    [
      "an operator, after it had met a wrong key",
      "operator",
      { attempts: [unauthorized] },
      { class: "credential", wrote: "no", reason: "http_401" },
    ],
  ])("whose last delivery came while delivery was paused by %s", async (_, pausedBy, entry, expected) => {
    const letters = await deadLettersOf(failed(messageOf(1), { pausedBy }), ledgerOf(entry ? { 1: entry } : {}), NOW);
    expect(letters).toMatchObject([expected]);
  });

  it("that was delivered stays out, whatever the last answer said", async () => {
    const message = failed(messageOf(1), { pausedBy: "credential" });
    expect(await deadLettersOf(message, ledgerOf({ 1: { state: "delivered" } }), NOW)).toEqual([]);
  });

  it("counts as maybe written when it is older than the ledger's memory", async () => {
    const message = failed(messageOf(1), { createdAtMs: NOW - LEDGER_RETENTION_MS });
    expect(await deadLettersOf(message, ledgerOf({}), NOW)).toMatchObject([{ wrote: "maybe" }]);
  });

  it("says where no answer came at all", async () => {
    const letters = await deadLettersOf(failed(messageOf(1), { status: 0 }), ledgerOf({}), NOW);
    expect(letters).toMatchObject([{ reason: "not_attempted worker did not answer" }]);
    expect(letters[0]).not.toHaveProperty("status");
  });
});

it("of several records, each has its own fate", async () => {
  const letters = await deadLettersOf(
    failed(messageOf(1, 2, 3)),
    ledgerOf({ 1: { state: "delivered" }, 2: { state: "rejected", reason: "http_422" } }),
    NOW,
  );
  expect(letters).toMatchObject([
    { eventId: eventId(2), class: "rejected" },
    { eventId: eventId(3), class: "exhausted" },
  ]);
});

describe("what cannot be decoded", () => {
  const lookup = ledgerOf({});
  it.each([
    ["is not JSON", encoded("{"), /^unreadable the body is not JSON$/],
    ["is empty", new Uint8Array(), /^unreadable the body is not JSON$/],
    [
      "is of a newer version",
      encoded({ v: 2, records: [{ id: "x" }] }),
      /^unreadable version 2 is newer than this worker$/,
    ],
    ["has no records", encoded({ v: 1, g: ["i", "1"], records: [] }), /^unreadable "records" /],
  ])("is kept as bytes when it %s", async (_, body, reason) => {
    const [letter, ...others] = await deadLettersOf(failed(body), lookup, NOW);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ class: "unreadable", wrote: "no", dlqId: "1-0" });
    expect(letter?.eventId).toMatch(/^unreadable-[0-9a-f]{32}$/);
    expect(letter?.reason).toMatch(reason);
    expect(Buffer.from(letter?.body ?? "", "base64")).toEqual(Buffer.from(body));
  });

  it("has the same id for the same bytes", async () => {
    const [first] = await deadLettersOf(failed(encoded("{")), lookup, NOW);
    const [again] = await deadLettersOf(failed(encoded("{"), { source: "sweep" }), lookup, NOW);
    const [other] = await deadLettersOf(failed(encoded("[")), lookup, NOW);
    expect(again?.eventId).toBe(first?.eventId);
    expect(other?.eventId).not.toBe(first?.eventId);
  });

  it("does not spoil the records beside it", async () => {
    const message = encodeMessage([numberedRecord(1), numberedRecord(2)]);
    const [good] = message.records;
    const body = encoded({ ...message, records: [good, { id: eventId(2), c: "broken" }] });
    const letters = await deadLettersOf(failed(body), lookup, NOW);
    expect(letters).toMatchObject([
      { eventId: eventId(1), class: "exhausted" },
      { eventId: eventId(2), class: "unreadable" },
    ]);
  });
});
