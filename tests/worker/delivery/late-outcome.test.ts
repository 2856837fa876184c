/** An outcome that comes after an intent or a watchdog's record was delivered is told as an event of its own. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { answered, createWorld, lost } from "../support/world.ts";
import { startDirect, type Direct } from "../support/direct.ts";
import { recordOf } from "../support/records.ts";

const HOUR = 3_600_000;

interface EventSeen {
  readonly event: { readonly metadata: Readonly<Record<string, unknown>> };
}

describe("under a virtual clock", () => {
  let world: ReturnType<typeof createWorld>;
  beforeEach(() => {
    world = createWorld();
  });
  const metadataOf = () => world.events.map(({ body }) => (JSON.parse(body) as EventSeen).event.metadata);

  it.each(["intent", "watchdog"] as const)("a second event corrects the %s", async (stage) => {
    const outcome = recordOf();
    await world.deliver([{ ...outcome, stage, outcome: "unknown" }]);
    expect(await world.deliver([outcome])).toEqual([{ id: outcome.id, kind: "delivered" }]);
    const late = `${outcome.id}:outcome`;
    expect(world.events.map(({ key }) => key)).toEqual([outcome.id, late]);
    expect(metadataOf()).toMatchObject([
      { event_id: outcome.id, outcome: "unknown" },
      { event_id: late, corrects: outcome.id, outcome: outcome.outcome },
    ]);
    expect(metadataOf()[0]).not.toHaveProperty("corrects");
    expect(world.entry(late)).toMatchObject({ state: "delivered", key: late });
    expect(world.shard.counters.numbers()).toMatchObject({ seen: 1, late: 1 });
  });

  it("is sent once, however often the outcome comes again, even after weeks", async () => {
    const outcome = recordOf();
    await world.deliver([{ ...outcome, stage: "intent" }]);
    await world.deliver([outcome]);
    world.advance(30 * 24 * HOUR);
    expect(await world.deliver([outcome])).toEqual([{ id: outcome.id, kind: "skipped", reason: "delivered" }]);
    expect(world.requests).toHaveLength(2);
  });

  it("comes behind an intent of which nobody knows whether WorkOS has it", async () => {
    const outcome = recordOf();
    world.state.trouble = () => ({ stored: true, sent: lost });
    await world.deliver([{ ...outcome, stage: "intent" }]);
    world.state.trouble = () => undefined;
    world.advance(60_000);
    expect(await world.deliver([outcome])).toEqual([{ id: outcome.id, kind: "delivered" }]);
    expect(world.events.map(({ key }) => key)).toEqual([outcome.id, `${outcome.id}:outcome`]);
    expect(world.requests[1]?.body).toBe(world.requests[0]?.body);
  });

  it("is retried by itself where WorkOS is down", async () => {
    const outcome = recordOf();
    await world.deliver([{ ...outcome, stage: "intent" }]);
    world.state.trouble = () => ({ stored: false, sent: answered(503) });
    expect(await world.deliver([outcome])).toMatchObject([{ id: outcome.id, kind: "retry", reason: "http_503" }]);
    world.state.trouble = () => undefined;
    expect(await world.deliver([outcome])).toEqual([{ id: outcome.id, kind: "delivered" }]);
    expect(world.events).toHaveLength(2);
  });

  it("that WorkOS refuses is a dead letter under its own identity, whose record can be replayed", async () => {
    const outcome = recordOf();
    await world.deliver([{ ...outcome, stage: "intent" }]);
    world.state.trouble = () => ({ stored: false, sent: answered(400) });
    expect(await world.deliver([outcome])).toMatchObject([{ id: outcome.id, kind: "dead_letter", class: "rejected" }]);
    expect(world.deadLetters).toMatchObject([{ eventId: `${outcome.id}:outcome`, record: { id: outcome.id } }]);
    expect(world.deadLetters[0]?.record).not.toHaveProperty("corrects");

    world.state.trouble = () => undefined;
    await world.deliver([{ ...outcome, replay: { id: "rp_1", n: 1 } }]);
    expect(world.events.map(({ key }) => key)).toEqual([outcome.id, `${outcome.id}:outcome:r1`]);
  });

  it("is no second event where the outcome came first", async () => {
    const outcome = recordOf();
    await world.deliver([outcome]);
    await world.deliver([{ ...outcome, stage: "intent" }]);
    expect(world.events).toHaveLength(1);
  });
});

describe("on real parts", () => {
  let direct: Direct;
  beforeAll(async () => {
    direct = await startDirect();
  });
  afterAll(() => direct.stop());

  it("both are found by the event id", async () => {
    const outcome = recordOf();
    await direct.deliver([{ ...outcome, stage: "intent" }]);
    expect((await direct.deliver([outcome])).status).toBe(200);
    const late = `${outcome.id}:outcome`;
    const first = (await direct.admin("GET", `/api/events/${outcome.id}`)).json;
    expect(first).toMatchObject({ event_id: outcome.id, state: "delivered", late_outcome: late });
    const second = (await direct.admin("GET", `/api/events/${encodeURIComponent(first.late_outcome)}`)).json;
    expect(second).toMatchObject({ event_id: late, corrects: outcome.id, state: "delivered", idempotency_key: late });
    const metrics = String((await direct.admin("GET", "/metrics")).json);
    expect(metrics).toMatch(/^audit_late_outcomes_total 1$/m);
  });

  it("a dead letter of one is shown and replayed under its identity", async () => {
    const outcome = recordOf();
    await direct.deliver([{ ...outcome, stage: "watchdog" }]);
    direct.workos.faults.add({ status: 400, body: { message: "no" }, times: 1 });
    expect((await direct.deliver([outcome])).status).toBe(489);
    const late = encodeURIComponent(`${outcome.id}:outcome`);
    expect((await direct.admin("GET", `/api/dead-letters/${late}`)).json).toMatchObject({ class: "rejected" });
    const replay = await direct.admin("POST", "/api/replays", { event_ids: [`${outcome.id}:outcome`] });
    expect(replay.json).toMatchObject({ plan: { send: 1 } });
  });
});
