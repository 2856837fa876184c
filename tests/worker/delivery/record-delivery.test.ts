/** The delivery of records under a virtual clock: crashes, windows, leases, and what each record is told. */
import { beforeEach, describe, expect, it } from "vitest";
import { LEASE_MS, WORKOS_TIMEOUT_MS } from "../../../shared/limits.ts";
import { recordOf, recordsOf } from "../support/records.ts";
import type { WorkosReply } from "../../../worker/workos.ts";
import { answered, createWorld, lost } from "../support/world.ts";

const HOUR = 3_600_000;

let world: ReturnType<typeof createWorld>;
beforeEach(() => {
  world = createWorld();
});

const crash = () => Promise.reject(new Error("the worker is gone"));

describe("a crash between WorkOS's answer and our mark", () => {
  it("is followed by the same bytes under the same key once the lease is over: one event", async () => {
    const record = recordOf();
    await world.deliver([record], { ledger: { ...world.ports.ledger, settle: crash } });
    expect(world.events).toHaveLength(1);

    world.advance(LEASE_MS / 2);
    expect(await world.deliver([record])).toMatchObject([{ kind: "retry", reason: "leased" }]);
    expect(world.requests).toHaveLength(1);

    world.advance(LEASE_MS);
    expect(await world.deliver([record])).toEqual([{ id: record.id, kind: "delivered" }]);
    expect(world.events).toHaveLength(1);
    expect(world.requests[1]).toMatchObject({ key: record.id, body: world.requests[0]?.body });
    expect(world.entry(record.id)?.attempts.map(({ outcome }) => outcome)).toEqual(["lost", "delivered"]);
  });

  it("25 hours later nothing is sent: WorkOS has forgotten the key, so a person has to decide", async () => {
    const record = recordOf();
    await world.deliver([record], { ledger: { ...world.ports.ledger, settle: crash } });
    world.advance(25 * HOUR);
    expect(await world.deliver([record])).toEqual([
      { id: record.id, kind: "dead_letter", class: "exhausted", reason: "idempotency_window_over" },
    ]);
    expect(world.events).toHaveLength(1);
    expect(world.deadLetters).toMatchObject([{ eventId: record.id, class: "exhausted", wrote: "maybe", attempts: 1 }]);
  });

  it("a delivered record is not sent again 25 hours, or a hundred days, later", async () => {
    const record = recordOf();
    await world.deliver([record]);
    for (const hours of [25, 100 * 24]) {
      world.advance(hours * HOUR);
      expect(await world.deliver([record])).toEqual([{ id: record.id, kind: "skipped", reason: "delivered" }]);
    }
    expect(world.events).toHaveLength(1);
  });
});

describe("a replay", () => {
  const replayed = (record: ReturnType<typeof recordOf>, n: number, fields = {}) => ({
    ...record,
    replay: { id: "rep_1", n, ...fields },
  });

  it("of a rejected record has a key of its own, and is sent once however often it comes", async () => {
    const record = recordOf();
    world.state.trouble = () => ({ stored: false, sent: answered(422) });
    expect(await world.deliver([record])).toMatchObject([{ kind: "dead_letter", class: "rejected" }]);
    world.state.trouble = () => undefined;
    expect(await world.deliver([record])).toMatchObject([{ kind: "dead_letter" }]);
    expect(await world.deliver([replayed(record, 1)])).toMatchObject([{ kind: "delivered" }]);
    expect(await world.deliver([replayed(record, 1)])).toMatchObject([{ kind: "skipped" }]);
    expect(await world.deliver([replayed(record, 2)])).toMatchObject([{ kind: "skipped" }]);
    expect(world.requests.map(({ key }) => key)).toEqual([record.id, `${record.id}:r1`]);
  });

  it("that is rejected again is a dead letter again, and the next one has the next key", async () => {
    const record = recordOf();
    world.state.trouble = () => ({ stored: false, sent: answered(400) });
    await world.deliver([record]);
    await world.deliver([replayed(record, 1)]);
    await world.deliver([replayed(record, 1)]);
    world.state.trouble = () => undefined;
    await world.deliver([replayed(record, 2)]);
    expect(world.requests.map(({ key }) => key)).toEqual([record.id, `${record.id}:r1`, `${record.id}:r2`]);
    expect(world.entry(record.id)).toMatchObject({ state: "delivered", replays: 2 });
  });

  it("of an event id that is unknown here is remembered as that replay, so that its redelivery is no second one", async () => {
    const record = recordOf();
    world.state.trouble = () => ({ stored: false, sent: answered(400) });
    expect(await world.deliver([replayed(record, 2)])).toMatchObject([{ kind: "dead_letter" }]);
    expect(await world.deliver([replayed(record, 2)])).toMatchObject([{ kind: "dead_letter" }]);
    expect(world.requests.map(({ key }) => key)).toEqual([record.id]);
    expect(world.entry(record.id)).toMatchObject({ state: "rejected", replays: 2 });
  });

  it("of a record that WorkOS holds unknown to us is one event inside the window", async () => {
    const record = recordOf();
    world.state.trouble = () => ({ stored: true, sent: lost });
    await world.deliver([record]);
    world.state.trouble = () => undefined;
    world.advance(20 * HOUR);
    expect(await world.deliver([replayed(record, 1, { mended: ["action"] })])).toMatchObject([{ kind: "delivered" }]);
    expect(world.events).toHaveLength(1);
  });

  it("beyond the window is sent only where a duplicate was accepted", async () => {
    const record = recordOf();
    world.state.trouble = () => ({ stored: false, sent: lost });
    await world.deliver([record]);
    world.state.trouble = () => undefined;
    world.advance(30 * HOUR);
    expect(await world.deliver([replayed(record, 1)])).toMatchObject([{ kind: "dead_letter", class: "exhausted" }]);
    expect(world.events).toHaveLength(0);
    expect(await world.deliver([replayed(record, 2, { acceptDuplicates: true })])).toMatchObject([
      { kind: "delivered" },
    ]);
    expect(world.events).toHaveLength(1);
  });
});

describe("frozen bytes", () => {
  it("are sent again by a worker that would make others", async () => {
    const record = recordOf();
    world.state.trouble = () => ({ stored: false, sent: answered(503) });
    await world.deliver([record]);
    world.state.trouble = () => undefined;
    const newer = { prepare: () => Promise.resolve([{ kind: "ready" as const, body: '{"newer":true}' }]) };
    await world.deliver([record], newer);
    expect(world.requests[1]?.body).toBe(world.requests[0]?.body);
  });
});

describe("the time of one delivery", () => {
  it("starts no request that could outlive the lease, and ends what is left as never sent", async () => {
    world.state.sendMs = WORKOS_TIMEOUT_MS - 1;
    const records = recordsOf(40);
    const startMs = world.now();
    const results = await world.deliver(records);
    for (const { atMs } of world.requests) expect(atMs - startMs).toBeLessThanOrEqual(LEASE_MS - WORKOS_TIMEOUT_MS);
    const reasons = results.map((result) => (result.kind === "retry" ? result.reason : result.kind));
    expect(reasons.filter((reason) => reason === "delivered")).toHaveLength(world.requests.length);
    expect(reasons.filter((reason) => reason === "out_of_time")).toHaveLength(40 - world.requests.length);
    const unsent = results.find((result) => result.kind === "retry" && result.reason === "out_of_time");
    expect(world.entry(unsent?.id ?? "")).toMatchObject({ wrote: "no", state: "pending", leased: false });
  });

  it("is shared by at most five requests at a time", async () => {
    await world.deliver(recordsOf(30));
    expect(world.state.mostOpen).toBe(5);
    expect(world.events).toHaveLength(30);
  });

  it.each([
    ["429", answered(429, "2"), "http_429"],
    ["503", answered(503), "http_503"],
    ["a timeout", lost, "timeout"],
  ])("is not spent on more than five records and those under way where WorkOS is down: %s", async (_, sent, reason) => {
    world.state.trouble = () => ({ stored: false, sent });
    const results = await world.deliver(recordsOf(20));
    expect(world.requests.length).toBeLessThanOrEqual(9);
    const reasons = results.map((result) => result.kind === "retry" && result.reason);
    expect(reasons.filter((was) => was === reason)).toHaveLength(world.requests.length);
    expect(reasons.filter((was) => was === "destination_down")).toHaveLength(20 - world.requests.length);
    expect(world.heard).toEqual(world.requests.map(() => "failed"));
  });

  it("goes on where every second request fails", async () => {
    let count = 0;
    world.state.trouble = () => (count++ % 2 === 0 ? { stored: false, sent: answered(503) } : undefined);
    await world.deliver(recordsOf(20));
    expect(world.requests).toHaveLength(20);
    expect(world.heard.filter((verdict) => verdict === "delivered")).toHaveLength(10);
  });
});

describe("a firewall's page", () => {
  it("is a retry of its record only: the others of the message go on", async () => {
    const page: WorkosReply = { answer: { kind: "response", status: 403 } };
    const records = recordsOf(20);
    const blocked = records[3]?.id;
    world.state.trouble = ({ key }) => (key === blocked ? { stored: false, sent: page } : undefined);
    const results = await world.deliver(records);
    expect(results.filter(({ kind }) => kind === "delivered")).toHaveLength(19);
    expect(results.find(({ id }) => id === blocked)).toEqual({
      id: blocked,
      kind: "retry",
      reason: "http_403 not_workos",
    });
    expect(world.deadLetters).toEqual([]);
  });
});

describe("held back", () => {
  it("sends nothing, and the ledger has what a probe needs", async () => {
    const records = recordsOf(3);
    const held = { kind: "retry", wrote: "no", reason: "paused_by_breaker" } as const;
    const results = await world.deliver(records, {}, { held });
    expect(world.requests).toEqual([]);
    expect(results.map((result) => result.kind === "retry" && result.reason)).toEqual(records.map(() => held.reason));
    expect(world.shard.waitingSince(10)).toHaveLength(3);
    for (const { id } of records) {
      expect(world.shard.claimWaiting(id, "probe", world.now())).toMatchObject({ id, key: id });
    }
  });
});

describe("a wrong credential", () => {
  it("stops the message at once; what was not sent says why, and nothing counts as maybe written", async () => {
    world.state.trouble = () => ({ stored: false, sent: answered(401) });
    const results = await world.deliver(recordsOf(20));
    expect(world.requests.length).toBeLessThanOrEqual(5);
    for (const result of results) {
      expect(result).toMatchObject({ kind: "retry", reason: "http_401", pause: true });
      expect(world.entry(result.id)).toMatchObject({ wrote: "no", attempts: [{ outcome: "pause" }] });
    }
  });
});

describe("where a part does not answer", () => {
  it("the dead letters: a rejected record is retried, and parked by the next delivery", async () => {
    const record = recordOf();
    world.state.trouble = () => ({ stored: false, sent: answered(400) });
    expect(await world.deliver([record], { park: crash })).toMatchObject([
      { kind: "retry", reason: "archive_unreachable" },
    ]);
    expect(world.entry(record.id)).toMatchObject({ state: "pending", wrote: "no" });
    expect(await world.deliver([record])).toMatchObject([{ kind: "dead_letter", class: "rejected" }]);
    expect(world.deadLetters).toHaveLength(1);
  });

  it("the ledger before anything was sent: nothing is sent", async () => {
    const ledger = { ...world.ports.ledger, claim: crash };
    await expect(world.deliver([recordOf()], { ledger })).rejects.toThrow("the worker is gone");
    expect(world.requests).toEqual([]);
  });

  it("the ledger after a delivery: the record is retried, never called delivered", async () => {
    const ledger = { ...world.ports.ledger, settle: crash };
    expect(await world.deliver([recordOf()], { ledger })).toMatchObject([
      { kind: "retry", reason: "ledger_unreachable" },
    ]);
  });

  it("the directory: a record that needs it is retried without an attempt", async () => {
    const record = recordOf({ organization: "acme" });
    const prepare = () => Promise.resolve([{ kind: "retry" as const, reason: "directory_unreachable" }]);
    expect(await world.deliver([record], { prepare })).toMatchObject([
      { kind: "retry", reason: "directory_unreachable" },
    ]);
    expect(world.entry(record.id)).toBeUndefined();
  });
});

describe("the stages of one event id", () => {
  it("an outcome delivered first makes the delayed intent a no-op", async () => {
    const outcome = recordOf();
    await world.deliver([outcome]);
    expect(await world.deliver([{ ...outcome, stage: "intent", outcome: "unknown" }])).toMatchObject([
      { reason: "delivered" },
    ]);
    expect(world.events).toHaveLength(1);
  });

  it("an intent never overtakes an outcome that waits for its next attempt", async () => {
    const outcome = recordOf();
    world.state.trouble = () => ({ stored: false, sent: answered(503) });
    await world.deliver([outcome]);
    world.state.trouble = () => undefined;
    expect(await world.deliver([{ ...outcome, stage: "watchdog" }])).toMatchObject([{ reason: "superseded" }]);
    expect(world.events).toHaveLength(0);
    await world.deliver([outcome]);
    expect(world.events).toHaveLength(1);
  });
});
