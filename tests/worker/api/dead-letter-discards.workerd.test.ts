/** Discarding by filter: exactly what the operator has seen counted, in the ledger and in the list, with one event. */
import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { lookup } from "../../../worker/ledger/client.ts";
import { call, get, post, deadLetterObject, workerEnv } from "../support/api.workerd.ts";
import { eventId, letter } from "../support/letters.ts";
import { OPERATORS } from "../support/tokens.ts";

const BOB = { authorization: `Bearer ${OPERATORS.bob.token}` };

beforeEach(() =>
  runInDurableObject(deadLetterObject(), (_, { storage }) => {
    for (const table of ["dead_letters", "replays", "items"]) storage.sql.exec(`DELETE FROM ${table}`);
  }),
);

const park = (...numbers: number[]) =>
  deadLetterObject().park(
    numbers.map((number) => letter(number, { class: number % 2 ? "rejected" : "exhausted", wrote: "no" })),
  );
const discard = (body: object) => call("POST", "/api/dead-letters/discard", body, BOB);
const states = async () => {
  const { json } = await get("/api/dead-letters?state=open,replaying,delivered,discarded&limit=500");
  const letters = json.dead_letters as { event_id: string; state: string }[];
  return Object.fromEntries(letters.map(({ event_id, state }) => [event_id, state]));
};

it("discards what the filter matches, names who did it, and leaves the rest", async () => {
  await park(1, 2, 3);
  const filter = { class: "rejected" };
  expect(await discard({ filter, dry_run: true })).toEqual({ status: 200, json: { dry_run: true, count: 2 } });
  expect(Object.values(await states())).toEqual(["open", "open", "open"]);
  const log = vi.spyOn(console, "log");
  expect(await discard({ filter, reason: " test ", count: 2 })).toEqual({
    status: 200,
    json: { discarded: 2, skipped: 0, skip_reasons: {}, reason: "test", by: "bob", at: expect.any(String) },
  });
  expect(await states()).toEqual({ [eventId(1)]: "discarded", [eventId(2)]: "open", [eventId(3)]: "discarded" });
  expect((await get(`/api/dead-letters/${eventId(3)}`)).json.discarded).toMatchObject({ reason: "test", by: "bob" });
  const ledger = await lookup(workerEnv, [eventId(1), eventId(2), eventId(3)]);
  const ended = [...ledger.values()].map(({ id, state }) => `${id} ${state}`);
  expect(new Set(ended)).toEqual(new Set([`${eventId(1)} discarded`, `${eventId(3)} discarded`]));
  const actions = log.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>);
  const told = actions.filter((line) => line["audit.action"] === "audit_forwarder.dead_letters_discarded");
  expect(told).toHaveLength(1);
});

it("discards nothing if another one came since the operator looked", async () => {
  await park(11, 13);
  const { json } = await discard({ all: true, dry_run: true });
  await park(15);
  expect(await discard({ all: true, reason: "test", count: json.count })).toMatchObject({
    status: 409,
    json: { code: "conflict", detail: '"count" is 2, but 3 dead letters match now; make a dry run again' },
  });
  expect(Object.values(await states())).toEqual(["open", "open", "open"]);
});

it("leaves alone what is in a replay, is unknown, or was discarded before", async () => {
  await park(21, 23, 25);
  await post("/api/replays", { event_ids: [eventId(21)] });
  const unknown = eventId(99);
  const asked = { event_ids: [eventId(21), eventId(23), unknown], reason: "test" };
  expect((await discard(asked)).json).toMatchObject({ discarded: 1, skipped: 2, skip_reasons: { not_open: 2 } });
  expect((await discard(asked)).json).toMatchObject({ discarded: 0, skipped: 3 });
  expect(await states()).toMatchObject({ [eventId(21)]: "replaying", [eventId(25)]: "open" });
  expect((await lookup(workerEnv, [unknown])).size).toBe(0);
});

it("takes more than one step's worth", async () => {
  await park(...Array.from({ length: 1_200 }, (_, index) => 2_000 + index * 2));
  expect((await discard({ all: true, reason: "test", count: 1_200 })).json).toMatchObject({ discarded: 1_200 });
  expect((await get("/api/dead-letters?group_by=class&state=discarded")).json.total).toBe(1_200);
});

describe("a request that means nothing", () => {
  it.each<[object | string, string]>([
    ["{", "the body must be JSON"],
    ["[]", "the body must be a JSON object"],
    [{ reason: "x" }, 'exactly one of "event_ids", "filter" and "all" must be given'],
    [{ all: true, filter: { class: "rejected" }, reason: "x", count: 1 }, "exactly one of"],
    [{ all: false, reason: "x", count: 1 }, '"all" must be true'],
    [{ all: true, count: 1 }, '"reason" must be 1 to 500 characters'],
    [{ all: true, reason: " ", count: 1 }, '"reason" must be 1 to 500 characters'],
    [{ all: true, reason: "x" }, '"count" must be the count that a dry run returned'],
    [{ all: true, reason: "x", count: -1 }, '"count" must be a whole number from 0 to 10000'],
    [{ filter: {}, reason: "x", count: 1 }, '"filter" must hold at least one field'],
    [{ filter: { class: "lost" }, dry_run: true }, '"filter.class" must be one or more of'],
    [{ filter: { colour: "red" }, dry_run: true }, '"filter.colour" is not a field of this request'],
    [{ filter: [], dry_run: true }, '"filter" must be an object'],
    [{ event_ids: [], reason: "x" }, '"event_ids" must be a list of 1 to 10000 event ids'],
    [{ event_ids: ["a b"], reason: "x" }, '"event_ids" must be a list of 1 to 10000 event ids'],
    [{ all: true, dry_run: "yes" }, '"dry_run" must be true or false'],
    [{ all: true, dry_run: true, force: true }, '"force" is not a field of this request'],
  ])("%j is refused", async (body, detail) => {
    const { status, json } = await discard(body as object);
    expect(status).toBe(400);
    expect(json).toMatchObject({ code: "invalid_request", detail: expect.stringContaining(detail) });
  });
});
