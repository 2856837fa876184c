/** A plan binds: what an operator confirms is what was shown, whatever comes in between. */
import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { markDiscarded } from "../../../worker/ledger/client.ts";
import { PLAN_VALID_MS } from "../../../worker/replays/stored-plan.ts";
import { get, post, deadLetterObject, workerEnv } from "../support/api.workerd.ts";
import { eventId, letter, numberedRecord } from "../support/letters.ts";

const TABLES = ["dead_letters", "links", "removals", "replays", "items", "plans", "plan_parts"];

beforeEach(async () => {
  // QStash takes nothing, so that what is pending stays pending.
  vi.spyOn(globalThis, "fetch").mockImplementation(() => Promise.resolve(new Response("", { status: 500 })));
  await runInDurableObject(deadLetterObject(), (_, { storage }) => {
    for (const table of TABLES) storage.sql.exec(`DELETE FROM ${table}`);
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const park = (...numbers: number[]) =>
  deadLetterObject().park(numbers.map((number) => letter(number, { class: "rejected", wrote: "no" })));
const plan = async (body: object = {}) => (await post("/api/replays", { all: true, dry_run: true, ...body })).json;
const confirm = (id: string, more: object = {}) => post("/api/replays", { plan: id, ...more });
const itemsOf = async (id: string) =>
  ((await get(`/api/replays/${id}/items`)).json.items as { event_id: string; outcome: string; reason?: string }[]).map(
    ({ event_id, outcome, reason }) => [event_id, reason ?? outcome],
  );

describe("a plan that is confirmed", () => {
  it("has an id, and stores nothing in a replay before", async () => {
    await park(1);
    const planned = await plan();
    expect(planned).toMatchObject({ id: null, state: "planned", plan: { send: 1 } });
    expect(planned.plan.id).toMatch(/^pl_[0-9a-f]{32}$/);
    expect((await get("/api/replays")).json.replays).toEqual([]);
    expect((await get(`/api/dead-letters/${eventId(1)}`)).json).toMatchObject({ state: "open" });
  });

  it("sends exactly its dead letters, and nothing that came later", async () => {
    await park(1, 2);
    const planned = await plan({ set: { organization: "org_99" }, rate: 7, name: "outage" });
    await park(3);
    const started = await confirm(planned.plan.id);
    expect(started).toMatchObject({ status: 201, json: { state: "running" } });
    const { id: _id, ...shown } = planned.plan;
    expect(started.json.plan).toEqual(shown);
    expect(await itemsOf(started.json.id)).toEqual([
      [eventId(1), "pending"],
      [eventId(2), "pending"],
    ]);
    expect((await get(`/api/replays/${started.json.id}`)).json).toMatchObject({
      name: "outage",
      rate: 7,
      mend: { set: { organization: "org_99" } },
      selection: { all: true },
      progress: { total: 2 },
    });
    expect((await get(`/api/dead-letters/${eventId(3)}`)).json).toMatchObject({ state: "open" });
  });

  it("leaves alone what it would have skipped, also if that could be sent by now", async () => {
    await park(1, 2);
    const first = await post("/api/replays", { event_ids: [eventId(1)] });
    const planned = await plan();
    expect(planned.plan).toMatchObject({ send: 1, skip: 1, skip_reasons: { in_replay: 1 } });
    await post(`/api/replays/${first.json.id}/cancel`);
    expect((await get(`/api/dead-letters/${eventId(1)}`)).json).toMatchObject({ state: "open" });
    const started = await confirm(planned.plan.id);
    expect(await itemsOf(started.json.id)).toEqual([
      [eventId(1), "in_replay"],
      [eventId(2), "pending"],
    ]);
  });

  it("skips what was discarded, delivered or changed since", async () => {
    await deadLetterObject().park([
      letter(1, { class: "rejected", wrote: "no" }),
      letter(2, { class: "rejected", wrote: "no" }),
      letter(3, { class: "rejected", wrote: "no" }, { stage: "intent", outcome: "unknown", action: "user.made" }),
    ]);
    const planned = await plan({ map: { action: { "user.made": "user.created" } } });
    expect(planned.plan).toMatchObject({ send: 3, mend: { changed: 1 } });
    await post(`/api/dead-letters/${eventId(1)}/discard`, { reason: "test data" });
    await markDiscarded(workerEnv, eventId(2), "elsewhere");
    await deadLetterObject().park([letter(3, { class: "rejected", wrote: "no", record: numberedRecord(3) })]);
    const started = await confirm(planned.plan.id);
    expect(await itemsOf(started.json.id)).toEqual([
      [eventId(1), "discarded"],
      [eventId(2), "discarded"],
      [eventId(3), "changed_since_plan"],
    ]);
    expect((await get(`/api/dead-letters/${eventId(3)}`)).json).toMatchObject({ state: "open" });
  });
});

describe("a plan is refused", () => {
  it("the second time", async () => {
    await park(1);
    const {
      plan: { id },
    } = await plan();
    expect((await confirm(id)).status).toBe(201);
    expect(await confirm(id)).toMatchObject({
      status: 409,
      json: { code: "conflict", detail: '"plan" was used already; make a dry run again' },
    });
    expect((await get("/api/replays")).json.replays).toHaveLength(1);
  });

  it("after 15 minutes, and not a moment before", async () => {
    await park(1);
    const startMs = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: startMs });
    const [early, late] = [await plan(), await plan()];
    vi.setSystemTime(startMs + PLAN_VALID_MS - 1);
    expect((await confirm(early.plan.id)).status).toBe(201);
    vi.setSystemTime(startMs + PLAN_VALID_MS);
    expect(await confirm(late.plan.id)).toMatchObject({
      status: 409,
      json: { code: "conflict", detail: '"plan" is older than 15 minutes; make a dry run again' },
    });
  });

  it("that nobody has made", async () => {
    expect(await confirm(`pl_${"0".repeat(32)}`)).toMatchObject({ status: 404, json: { code: "not_found" } });
  });

  it.each([
    [{ plan: "rp_1" }, '"plan" must be the "plan.id" that a dry run returned'],
    [{ rate: 5 }, '"plan" must be the only field'],
    [{ all: true }, '"plan" must be the only field'],
    [{ set: { organization: "org_2" } }, '"plan" must be the only field'],
    [{ accept_duplicates: true }, '"plan" must be the only field'],
    [{ dry_run: true }, '"plan" must be the only field'],
  ])("with %j beside it", async (more, detail) => {
    await park(1);
    const planned = await plan();
    const refused = await confirm(planned.plan.id, more);
    expect(refused).toMatchObject({ status: 400, json: { code: "invalid_request" } });
    expect(refused.json.detail).toContain(detail);
    expect((await confirm(planned.plan.id, { dry_run: false })).status).toBe(201);
  });
});

it("two operators who confirm one plan at once start one replay", async () => {
  await park(1, 2);
  const planned = await plan();
  const answers = await Promise.all([confirm(planned.plan.id), confirm(planned.plan.id)]);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 409]));
});
