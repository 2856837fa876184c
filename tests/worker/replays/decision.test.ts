/** Whether a dead letter may be sent: every skip reason, and the edges of WorkOS's window. */
import { describe, expect, it } from "vitest";
import { IDEMPOTENCY_SAFE_MS, IDEMPOTENCY_WINDOW_MS, LEDGER_RETENTION_MS } from "../../../shared/limits.ts";
import type { DeadLetterSummary } from "../../../worker/dead-letters/row.ts";
import type { LedgerEntry } from "../../../worker/ledger/types.ts";
import { decide } from "../../../worker/replays/decision.ts";

const NOW = Date.UTC(2026, 10, 20);
const HOUR = 3_600_000;

const row = (changes: Partial<DeadLetterSummary> = {}): DeadLetterSummary => ({
  event_id: "e1",
  state: "open",
  class: "exhausted",
  wrote: "no",
  reason: "http_503",
  status: 503,
  attempts: 4,
  first_attempt_at: NOW - HOUR,
  last_attempt_at: NOW - HOUR,
  parked_at: NOW - HOUR,
  source: "worker",
  message_id: null,
  generation: 0,
  replays: 0,
  replay_id: null,
  action: "a.b",
  organization: "org",
  method: "GET",
  route: "/",
  occurred_at: NOW - HOUR,
  dlq_id: null,
  accepted: 0,
  discarded: null,
  imported: null,
  ...changes,
});

const ledger = (changes: Partial<LedgerEntry> = {}): LedgerEntry => ({
  id: "e1",
  state: "pending",
  wrote: "no",
  stage: "outcome",
  key: "e1",
  replays: 0,
  firstAttemptAtMs: NOW - HOUR,
  attempts: [],
  leased: false,
  ...changes,
});

const plain = { acceptDuplicates: false, mended: false };
const accepting = { acceptDuplicates: true, mended: false };

describe("a dead letter is skipped", () => {
  it.each([
    ["that does not exist", undefined, undefined, "not_found"],
    ["that only the ledger knows as delivered", undefined, ledger({ state: "delivered" }), "delivered"],
    ["that a replay delivered", row({ state: "delivered" }), undefined, "delivered"],
    ["that the ledger knows as delivered", row(), ledger({ state: "delivered", wrote: "yes" }), "delivered"],
    ["that was discarded here", row({ state: "discarded" }), undefined, "discarded"],
    ["that was discarded in the ledger", row(), ledger({ state: "discarded" }), "discarded"],
    ["that is in a replay", row({ state: "replaying" }), ledger(), "in_replay"],
    ["that cannot be decoded", row({ class: "unreadable" }), undefined, "unreadable"],
  ] as const)("%s", (_, archived, known, reason) => {
    expect(decide(archived, known, accepting, NOW)).toEqual({ kind: "skip", reason, risk: false });
  });
});

describe("the window of 24 h", () => {
  const first = (agoMs: number) => NOW - agoMs;
  it.each([
    ["inside", IDEMPOTENCY_SAFE_MS - 1, { kind: "send", risk: false, age: "within_24h" }],
    ["at its safe end", IDEMPOTENCY_SAFE_MS, { kind: "skip", reason: "needs_accept_duplicates", risk: true }],
    ["after it", 30 * HOUR, { kind: "skip", reason: "needs_accept_duplicates", risk: true }],
  ] as const)("counts for what WorkOS may have written: %s", (_, agoMs, expected) => {
    expect(decide(row({ wrote: "maybe", first_attempt_at: first(agoMs) }), undefined, plain, NOW)).toMatchObject(
      expected,
    );
    const known = ledger({ wrote: "maybe", firstAttemptAtMs: first(agoMs) });
    expect(decide(row({ first_attempt_at: NOW }), known, plain, NOW)).toMatchObject(expected);
  });

  it("is closed where the first attempt is not known", () => {
    expect(decide(row({ wrote: "maybe", first_attempt_at: null }), undefined, plain, NOW)).toMatchObject({
      reason: "needs_accept_duplicates",
    });
  });

  it("does not matter for what WorkOS has not written", () => {
    expect(decide(row({ first_attempt_at: NOW - 90 * HOUR }), undefined, plain, NOW)).toMatchObject({
      kind: "send",
      risk: false,
      age: "beyond_24h",
    });
    expect(
      decide(row({ wrote: "maybe" }), ledger({ wrote: "no", firstAttemptAtMs: NOW - 90 * HOUR }), plain, NOW),
    ).toMatchObject({ kind: "send", risk: false });
  });

  it("travels with the item, so that a slow replay stops sending when it ends", () => {
    const sent = decide(row({ wrote: "maybe" }), undefined, plain, NOW);
    expect(sent).toMatchObject({ safeUntilMs: NOW - HOUR + IDEMPOTENCY_SAFE_MS });
    expect(decide(row({ wrote: "no" }), undefined, plain, NOW)).not.toHaveProperty("safeUntilMs");
  });

  it("is overruled by accepting duplicates, and counted", () => {
    const old = row({ wrote: "maybe", first_attempt_at: NOW - IDEMPOTENCY_WINDOW_MS });
    expect(decide(old, undefined, accepting, NOW)).toEqual({ kind: "send", n: 1, risk: true, age: "beyond_24h" });
  });
});

describe("a mended record", () => {
  it.each([
    ["is sent where nothing was written", row(), plain, { kind: "send", risk: false }],
    [
      "is held back where WorkOS may hold the first bytes",
      row({ wrote: "maybe" }),
      plain,
      { kind: "skip", reason: "mend_needs_accept_duplicates" },
    ],
    ["is sent then only when that is accepted", row({ wrote: "maybe" }), accepting, { kind: "send", risk: true }],
  ] as const)("%s", (_, archived, asked, expected) => {
    expect(decide(archived, undefined, { ...asked, mended: true }, NOW)).toMatchObject(expected);
  });
});

it("treats as written what the ledger has had time to forget", () => {
  const forgotten = row({ last_attempt_at: NOW - LEDGER_RETENTION_MS, first_attempt_at: NOW - LEDGER_RETENTION_MS });
  expect(decide(forgotten, undefined, plain, NOW)).toMatchObject({ reason: "needs_accept_duplicates" });
  expect(decide(forgotten, ledger(), plain, NOW)).toMatchObject({ kind: "send" });
});

it("numbers a replay after the highest that the dead letter or the ledger has seen", () => {
  expect(decide(row({ replays: 2 }), ledger({ replays: 5 }), plain, NOW)).toMatchObject({ n: 6 });
  expect(decide(row({ replays: 2 }), undefined, plain, NOW)).toMatchObject({ n: 3 });
});

it("says of a record without an attempt that it was never attempted", () => {
  expect(decide(row({ first_attempt_at: null }), undefined, plain, NOW)).toMatchObject({
    kind: "send",
    age: "never_attempted",
  });
});
