import { describe, expect, it } from "vitest";
import { IDEMPOTENCY_SAFE_MS, IDEMPOTENCY_WINDOW_MS, LEASE_MS } from "../../../shared/limits.ts";
import { afterAttempt, afterDiscard, decide, type LedgerRow, leaseWaiting } from "../../../worker/ledger/rules.ts";
import type { Claim, LedgerAttempt } from "../../../worker/ledger/types.ts";

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

const claim = (fields: Partial<Claim> = {}): Claim => ({
  id: "e1",
  stage: "outcome",
  body: "bytes",
  occurredAtMs: NOW - 1_000,
  ...fields,
});

const row = (fields: Partial<LedgerRow> = {}): LedgerRow => ({
  id: "e1",
  state: "pending",
  wrote: "no",
  stage: "outcome",
  key: "e1",
  body: "bytes",
  replays: 0,
  firstMs: NOW - HOUR,
  lease: null,
  leaseUntilMs: 0,
  attempts: [],
  reason: null,
  occurredMs: NOW - HOUR,
  requestId: null,
  ...fields,
});

const attempt = (fields: Partial<LedgerAttempt> = {}): LedgerAttempt => ({
  atMs: NOW,
  durationMs: 10,
  outcome: "retry",
  wrote: "maybe",
  ...fields,
});

const replay = (n: number, fields: { mended?: boolean; acceptDuplicates?: boolean } = {}) => ({
  n,
  mended: false,
  acceptDuplicates: false,
  ...fields,
});

describe("a claim", () => {
  it("of an unknown event id is granted under the event id, with a lease", () => {
    const { grant, row: next } = decide(undefined, claim({ requestId: "r1" }), "L1", NOW);
    expect(grant).toEqual({ id: "e1", kind: "send", key: "e1", attempt: 1, firstAttemptAtMs: NOW });
    expect(next).toMatchObject({
      state: "pending",
      wrote: "no",
      body: "bytes",
      lease: "L1",
      leaseUntilMs: NOW + LEASE_MS,
      firstMs: NOW,
      requestId: "r1",
    });
  });

  it("of an unknown event id by a replay keeps the event id as key: nothing says that WorkOS refused it", () => {
    expect(decide(undefined, claim({ replay: replay(3) }), "L1", NOW).grant).toMatchObject({ key: "e1" });
  });

  it.each(["delivered", "discarded"] as const)("of a %s record is skipped and changes nothing", (state) => {
    for (const stage of ["outcome", "intent"] as const) {
      const asked = claim({ stage, replay: replay(1, { acceptDuplicates: true }) });
      const decision = decide(row({ state, stage }), asked, "L1", NOW);
      expect(decision).toEqual({ grant: { id: "e1", kind: "skip", why: state } });
    }
  });

  it("is granted again to the delivery that holds the record, which has lost the answer", () => {
    const held = row({ lease: "L1", leaseUntilMs: NOW + 12_345 });
    const { grant, row: next } = decide(held, claim(), "L1", NOW);
    expect(grant).toMatchObject({ kind: "send", attempt: 1 });
    expect(next).toMatchObject({ wrote: "no", attempts: [], lease: "L1" });
  });

  it("is refused while another delivery holds the record, and granted once that lease is over", () => {
    const held = row({ lease: "L0", leaseUntilMs: NOW + 12_345 });
    expect(decide(held, claim(), "L1", NOW)).toEqual({ grant: { id: "e1", kind: "leased", retryAfterMs: 12_345 } });
    expect(decide(held, claim(), "L1", NOW + 12_345).grant).toMatchObject({ kind: "send" });
  });

  it("after a delivery that never came back counts its request as maybe written and keeps key and bytes", () => {
    const crashed = row({ lease: "L0", leaseUntilMs: NOW - 1, firstMs: NOW - LEASE_MS - 1 });
    const { grant, row: next } = decide(crashed, claim({ body: "other bytes" }), "L1", NOW);
    expect(grant).toEqual({
      id: "e1",
      kind: "send",
      key: "e1",
      body: "bytes",
      attempt: 2,
      firstAttemptAtMs: NOW - LEASE_MS - 1,
      beganAtMs: NOW - LEASE_MS - 1,
    });
    expect(next).toMatchObject({ wrote: "maybe", lease: "L1", attempts: [{ outcome: "lost", wrote: "maybe" }] });
  });

  it("of a rejected record repeats the rejection", () => {
    const rejected = row({ state: "rejected", body: null, reason: "http_400", replays: 1 });
    for (const again of [claim(), claim({ replay: replay(1) })]) {
      expect(decide(rejected, again, "L1", NOW)).toEqual({ grant: { id: "e1", kind: "rejected", reason: "http_400" } });
    }
  });

  it("of a rejected record by a newer replay sends new bytes under a new key, with the history kept", () => {
    const rejected = row({ state: "rejected", body: null, reason: "http_400", attempts: [attempt()], replays: 1 });
    const { grant, row: next } = decide(rejected, claim({ body: "mended", replay: replay(2) }), "L1", NOW);
    expect(grant).toMatchObject({ id: "e1", kind: "send", key: "e1:r2", attempt: 2, firstAttemptAtMs: NOW });
    expect(next).toMatchObject({
      state: "pending",
      wrote: "no",
      body: "mended",
      key: "e1:r2",
      replays: 2,
      reason: null,
    });
    expect(next?.attempts).toHaveLength(1);
  });
});

describe("a record that WorkOS may hold", () => {
  const maybe = row({ wrote: "maybe", body: "frozen", attempts: [attempt()] });

  it.each([
    ["a redelivery", claim({ body: "newer code made these" })],
    ["a replay", claim({ body: "x", replay: replay(1) })],
    ["a mended replay", claim({ body: "mended", replay: replay(1, { mended: true }) })],
    ["a replay that accepts duplicates", claim({ body: "x", replay: replay(1, { acceptDuplicates: true }) })],
  ])("keeps key and bytes for %s inside the window", (_, again) => {
    expect(decide(maybe, again, "L1", NOW).grant).toMatchObject({ kind: "send", key: "e1", body: "frozen" });
  });

  it("is sent inside the window with mended bytes, under a new key, only where a duplicate was accepted", () => {
    const mended = replay(1, { mended: true, acceptDuplicates: true });
    const { grant, row: next } = decide(maybe, claim({ body: "mended", replay: mended }), "L1", NOW);
    expect(grant).toMatchObject({ kind: "send", key: "e1:r1", firstAttemptAtMs: NOW });
    expect(next).toMatchObject({ body: "mended", attempts: [attempt()] });
  });

  const late = maybe.firstMs + IDEMPOTENCY_SAFE_MS;

  it.each([
    ["a redelivery", claim()],
    ["a replay", claim({ replay: replay(1) })],
    ["a mended replay", claim({ replay: replay(1, { mended: true }) })],
  ])("is not sent again by %s once WorkOS may have forgotten the key", (_, again) => {
    expect(decide(maybe, again, "L1", late - 1).grant).toMatchObject({ kind: "send" });
    const { grant, row: next } = decide(maybe, again, "L1", late);
    expect(grant).toEqual({ id: "e1", kind: "expired", attempts: 1, firstAttemptAtMs: maybe.firstMs });
    expect(next).toMatchObject({ state: "pending", wrote: "maybe", lease: null });
  });

  it("is not sent again at the end of the window by a machine whose clock is ten minutes behind the first one's", () => {
    // Five minutes ahead, five minutes behind: WorkOS forgot the key just now. A simulated run made two events of it.
    const behindMs = maybe.firstMs + IDEMPOTENCY_WINDOW_MS - 10 * 60_000;
    expect(decide(maybe, claim(), "L1", behindMs).grant.kind).toBe("expired");
  });

  it("is sent again after the window where the operator accepted a duplicate, once, in a window of its own", () => {
    const accepted = claim({ body: "new", replay: replay(1, { acceptDuplicates: true }) });
    const first = decide(maybe, accepted, "L1", late);
    expect(first.grant).toMatchObject({ kind: "send", key: "e1:r1", firstAttemptAtMs: late });
    const failed = afterAttempt(first.row as LedgerRow, "L1", attempt({ atMs: late }));
    expect(decide(failed, accepted, "L2", late + HOUR).grant).toMatchObject({ key: "e1:r1", firstAttemptAtMs: late });
    expect(decide(failed, accepted, "L2", late + 25 * HOUR).grant).toMatchObject({ kind: "expired" });
  });
});

describe("a record that WorkOS surely does not hold", () => {
  it("starts its window anew at each attempt and keeps the frozen bytes", () => {
    const old = row({ firstMs: NOW - 40 * HOUR, attempts: [attempt({ outcome: "pause", wrote: "no" })] });
    expect(decide(old, claim({ body: "other" }), "L1", NOW).grant).toEqual({
      id: "e1",
      kind: "send",
      key: "e1",
      body: "bytes",
      attempt: 2,
      firstAttemptAtMs: NOW,
      beganAtMs: NOW,
    });
  });

  it("takes the mended bytes of a replay under a key of their own", () => {
    const { grant, row: next } = decide(
      row(),
      claim({ body: "mended", replay: replay(1, { mended: true }) }),
      "L1",
      NOW,
    );
    expect(grant).toMatchObject({ kind: "send", key: "e1:r1" });
    expect(next?.body).toBe("mended");
  });
});

describe("the stages of one event id", () => {
  it.each([
    ["pending", row()],
    ["rejected", row({ state: "rejected", reason: "http_400" })],
  ])("an intent or a watchdog's record never follows a %s outcome", (_, known) => {
    for (const stage of ["intent", "watchdog"] as const) {
      const decision = decide(known, claim({ stage, replay: replay(9) }), "L1", NOW);
      expect(decision).toEqual({ grant: { id: "e1", kind: "skip", why: "superseded" } });
    }
  });

  it("an outcome takes the place of an intent that wrote nothing", () => {
    const { grant, row: next } = decide(
      row({ stage: "intent", body: "intent" }),
      claim({ body: "outcome" }),
      "L1",
      NOW,
    );
    expect(grant).toMatchObject({ kind: "send", key: "e1" });
    expect(grant).not.toHaveProperty("body");
    expect(next).toMatchObject({ stage: "outcome", body: "outcome" });
  });

  it("an outcome after an intent that WorkOS has answered has a key of its own, even where nothing was written", () => {
    // A refusal that could not become a dead letter is settled as a retry: a simulated run found the old key reused for new bytes.
    const answered = row({ stage: "intent", body: "intent", attempts: [attempt({ status: 400, wrote: "no" })] });
    const { grant } = decide(answered, claim({ body: "outcome" }), "L1", NOW);
    expect(grant).toMatchObject({ kind: "send", key: "e1:outcome" });
    expect(grant).not.toHaveProperty("body");
  });

  it("an outcome after an intent that WorkOS may hold sends the intent's bytes: one event, whatever happened", () => {
    const { grant, row: next } = decide(row({ stage: "intent", body: "intent", wrote: "maybe" }), claim(), "L1", NOW);
    expect(grant).toMatchObject({ kind: "send", key: "e1", body: "intent" });
    expect(next?.stage).toBe("intent");
  });

  it("an outcome after a rejected intent has a key of its own, because WorkOS may repeat the rejection", () => {
    const rejected = row({ stage: "intent", state: "rejected", body: null, reason: "http_400" });
    expect(decide(rejected, claim({ body: "outcome" }), "L1", NOW)).toMatchObject({
      grant: { kind: "send", key: "e1:outcome" },
      row: { stage: "outcome", body: "outcome", state: "pending" },
    });
  });

  it("an outcome after a delivered intent is an event of its own", () => {
    const decision = decide(row({ stage: "intent", state: "delivered" }), claim(), "L1", NOW);
    expect(decision).toEqual({ grant: { id: "e1", kind: "late" } });
  });
});

describe("the end of an attempt", () => {
  const held = row({ lease: "L1", leaseUntilMs: NOW + LEASE_MS });

  it("delivered drops the bytes and the lease", () => {
    expect(afterAttempt(held, "L1", attempt({ outcome: "delivered", wrote: "yes", status: 200 }))).toMatchObject({
      state: "delivered",
      wrote: "yes",
      body: null,
      lease: null,
      attempts: [{ outcome: "delivered", status: 200 }],
    });
  });

  it("rejected keeps the reason and says that nothing was written, also after an attempt that may have", () => {
    const reject = attempt({ outcome: "reject", wrote: "no", reason: "http_422 required event.action" });
    expect(afterAttempt({ ...held, wrote: "maybe" }, "L1", reject)).toMatchObject({
      state: "rejected",
      wrote: "no",
      body: null,
      lease: null,
      reason: "http_422 required event.action",
    });
  });

  it.each([
    ["no", "no", "no"],
    ["no", "maybe", "maybe"],
    ["maybe", "no", "maybe"],
    ["maybe", "maybe", "maybe"],
  ] as const)("a retry: %s before and %s now is %s", (before, now, after) => {
    const next = afterAttempt({ ...held, wrote: before }, "L1", attempt({ wrote: now }));
    expect(next).toMatchObject({ state: "pending", wrote: after, body: "bytes", lease: null });
  });

  it("delivered is believed from a delivery that has lost its lease, and the newer one keeps its own", () => {
    const next = afterAttempt({ ...held, lease: "L2" }, "L1", attempt({ outcome: "delivered", wrote: "yes" }));
    expect(next).toMatchObject({ state: "delivered", lease: "L2" });
  });

  it("a late rejection or retry of a lost delivery changes neither the state nor the newer lease", () => {
    for (const outcome of ["reject", "retry", "pause"] as const) {
      const next = afterAttempt({ ...held, lease: "L2" }, "L1", attempt({ outcome, wrote: "no" }));
      expect(next).toMatchObject({ state: "pending", lease: "L2", body: "bytes" });
    }
  });

  it("nothing undoes delivered", () => {
    const delivered = row({ state: "delivered", wrote: "yes", body: null, lease: "L1", leaseUntilMs: NOW + 1 });
    for (const outcome of ["reject", "retry", "pause"] as const) {
      expect(afterAttempt(delivered, "L1", attempt({ outcome }))).toMatchObject({ state: "delivered", wrote: "yes" });
    }
  });

  it("keeps the newest twenty attempts", () => {
    let next = held;
    for (let n = 0; n < 25; n++) next = { ...afterAttempt(next, "L1", attempt({ atMs: n })), lease: "L1" };
    expect(next.attempts.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 20 }, (_, n) => n + 5));
  });
});

it("a discard ends a record for good and keeps what is known of it", () => {
  const discarded = afterDiscard(row({ wrote: "maybe", attempts: [attempt()] }), "test traffic");
  expect(discarded).toMatchObject({ state: "discarded", wrote: "maybe", body: null, reason: "test traffic" });
  expect(decide(discarded, claim({ replay: replay(5) }), "L1", NOW).grant).toMatchObject({ why: "discarded" });
});

describe("a record that waits, for a probe", () => {
  const waits = (changes: Partial<LedgerRow> = {}) =>
    row({ attempts: [attempt({ outcome: "retry", wrote: "no" })], ...changes });

  it("is leased with its frozen bytes, under its own key", () => {
    const leased = leaseWaiting(waits({ key: "e1:r1" }), "probe", NOW);
    expect(leased).toMatchObject({ key: "e1:r1", body: "bytes", lease: "probe", leaseUntilMs: NOW + LEASE_MS });
  });

  it("starts its window with the probe where WorkOS surely does not hold it", () => {
    expect(leaseWaiting(waits({ firstMs: NOW - 40 * HOUR }), "probe", NOW)).toMatchObject({ firstMs: NOW });
  });

  it("keeps its window where WorkOS may hold it", () => {
    const firstMs = NOW - 23 * HOUR;
    expect(leaseWaiting(waits({ wrote: "maybe", firstMs }), "probe", NOW)).toMatchObject({ firstMs });
  });

  it("counts a delivery that never came back", () => {
    const lost = waits({ lease: "L0", leaseUntilMs: NOW - 1, firstMs: NOW - LEASE_MS - 1 });
    expect(leaseWaiting(lost, "probe", NOW)).toMatchObject({ wrote: "maybe", attempts: [{}, { outcome: "lost" }] });
  });

  it.each<[string, LedgerRow | undefined]>([
    ["is unknown", undefined],
    ["was delivered", waits({ state: "delivered", body: null })],
    ["was discarded", waits({ state: "discarded", body: null })],
    ["was rejected", waits({ state: "rejected", body: null })],
    ["is held by a delivery", waits({ lease: "L0", leaseUntilMs: NOW + 1 })],
    ["may be in WorkOS, which has forgotten its key", waits({ wrote: "maybe", firstMs: NOW - 24 * HOUR })],
  ])("is left alone where it %s", (_, known) => {
    expect(leaseWaiting(known, "probe", NOW)).toBeUndefined();
  });
});
