/**
 * Many dead letters in the real Durable Object: how many rows, statements and lookups a page, a count and a plan need, which no machine
 * changes. `bench/growth` measures the time.
 */
import { beforeAll, expect, it, vi } from "vitest";
import { runInDurableObject } from "cloudflare:test";
import { whereOf } from "../../../worker/dead-letters/query.ts";
import { groups, idsOfRequest, liveAfter, page } from "../../../worker/dead-letters/store.ts";
import { createReplay } from "../../../worker/replays/new-replay.ts";
import type { ReplayRequest } from "../../../worker/replays/request.ts";
import { durableSql } from "../../../worker/storage/durable-sql.ts";
import type { Sql, SqlValue } from "../../../worker/storage/sql.ts";
import { deadLetterObject, get, post } from "../support/api.workerd.ts";
import { CAPTURED_MS, eventId, letter } from "../support/letters.ts";

/** More than one lookup in the ledger takes. */
const COUNT = 12_000;
const LOOKUP_MAX = 10_000;
const PARKED = 4_000;
const PAGE = 100;
const RARE_EVERY = 5_000;

beforeAll(async () => {
  vi.spyOn(globalThis, "fetch").mockImplementation(() => Promise.resolve(new Response(null, { status: 503 })));
  for (let start = 0; start < COUNT; start += PARKED)
    await deadLetterObject().park(Array.from({ length: PARKED }, (_, index) => varied(start + index)));
});

function varied(number: number) {
  const action = number % RARE_EVERY === 7 ? "rare.action" : "user.created";
  const changes = { action, organization: `org_${number % 300}`, requestId: `request_${number}` };
  return letter(number, { reason: `http_50${number % 4}` }, changes);
}

interface Used {
  readonly read: number;
  readonly written: number;
  readonly statements: number;
}

/** What `ask` uses of the object's database. */
function used(ask: (sql: Sql) => unknown): Promise<Used> {
  return runInDurableObject(deadLetterObject(), async (_, { storage }) => {
    const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
    const each = <T>(query: string, ...values: readonly SqlValue[]): Iterable<T> => {
      const cursor = storage.sql.exec(query, ...values);
      cursors.push(cursor);
      return cursor as Iterable<unknown> as Iterable<T>;
    };
    await ask({ ...durableSql(storage), each, all: (query, ...values) => [...each<never>(query, ...values)] });
    const sum = (name: "rowsRead" | "rowsWritten") => cursors.reduce((total, cursor) => total + cursor[name], 0);
    return { read: sum("rowsRead"), written: sum("rowsWritten"), statements: cursors.length };
  });
}

it.each([
  ["the first page", (sql: Sql) => page(sql, whereOf({}), PAGE, undefined)],
  ["a later page", (sql: Sql) => page(sql, whereOf({}), PAGE, [Date.now(), eventId(COUNT / 2)])],
  ["a page of all states", (sql: Sql) => page(sql, whereOf({}, ["open", "discarded"]), PAGE, undefined)],
  ["what is reconciled next", (sql: Sql) => liveAfter(sql, [0, ""], PAGE)],
  [
    "one request",
    (sql: Sql) =>
      idsOfRequest(sql, { requestId: "request_7", sinceMs: 0, untilMs: Date.now(), afterId: "", limit: PAGE }),
  ],
])("reads for %s only its rows", async (_, ask) => {
  expect((await used(ask)).read).toBeLessThanOrEqual(3 * (PAGE + 1));
});

it.each([
  ["a rare action", (sql: Sql) => page(sql, whereOf({ action: ["rare.action"] }), PAGE, undefined)],
  ["an organization without any", (sql: Sql) => page(sql, whereOf({ organization: ["none"] }), PAGE, undefined)],
  ["the counts by class", (sql: Sql) => groups(sql, whereOf({}), "class")],
  ["the counts by organization", (sql: Sql) => groups(sql, whereOf({}), "organization")],
])("reads each row once at most for %s", async (_, ask) => {
  const { read, statements } = await used(ask);
  expect(read).toBeLessThanOrEqual(COUNT + 3 * PAGE);
  expect(statements).toBe(1);
});

it.each([
  ["as they are", undefined],
  ["mended", { map: { action: { "rare.action": "user.created" } } }],
] as const)("plans a replay of all %s with two lookups, and a few statements for thousands", async (which, mend) => {
  const lookups: number[] = [];
  const fatesOf = (ids: readonly string[]) => {
    lookups.push(ids.length);
    return Promise.resolve(new Map<string, never>());
  };
  const ids = { id: "rp_none", planId: `plan of all ${which}`, by: "ann" };
  const request: ReplayRequest = {
    selection: { kind: "all" },
    asked: {},
    acceptDuplicates: true,
    rate: 1,
    dryRun: true,
    mend,
  };
  const { read, written, statements } = await used(async (sql) => {
    const { plan } = await createReplay(sql, fatesOf, request, ids, () => CAPTURED_MS);
    expect(plan).toMatchObject({ send: COUNT });
  });
  expect(lookups).toEqual([LOOKUP_MAX, COUNT - LOOKUP_MAX]);
  // Its id, its row, and what SQLite counts for a list of ids.
  expect(read).toBeLessThanOrEqual(4 * COUNT + PAGE);
  expect(statements).toBeLessThanOrEqual(10);
  // A part for each lookup, and the plan.
  expect(written).toBe(3);
});

it("lists what a replay of all has taken", async () => {
  const started = await post("/api/replays", { all: true, accept_duplicates: true, rate: 0.1 });
  expect(started).toMatchObject({ status: 201, json: { plan: { send: COUNT } } });
  const { json } = await get("/api/dead-letters?limit=1");
  expect(json.dead_letters).toMatchObject([{ event_id: eventId(COUNT - 1), state: "replaying" }]);
});
