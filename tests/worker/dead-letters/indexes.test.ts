/** What is asked of many dead letters is answered from an index, in its order, so that it does not slow down with their number. */
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { sqlPort } from "../../../dev/sql-port.ts";
import { DEAD_LETTER_STATES } from "../../../shared/dead-letter.ts";
import { countPeriod } from "../../../worker/dead-letters/counts.ts";
import { whereOf } from "../../../worker/dead-letters/query.ts";
import {
  groups,
  idsAfter,
  idsOfRequest,
  liveAfter,
  page,
  unreadableAfter,
  wholePage,
} from "../../../worker/dead-letters/store.ts";
import { STEPS } from "../../../worker/replays/schema.ts";
import { migrate } from "../../../worker/storage/migration.ts";
import type { Sql, SqlValue } from "../../../worker/storage/sql.ts";

/** SQLite's plan of each query that `ask` runs. https://sqlite.org/eqp.html */
function planOf(ask: (sql: Sql) => unknown): string {
  const sql = sqlPort(new DatabaseSync(":memory:"));
  migrate(sql, STEPS);
  const steps: string[] = [];
  const explain = <T>(query: string, ...values: readonly SqlValue[]): T[] => {
    steps.push(...sql.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${query}`, ...values).map(({ detail }) => detail));
    return [];
  };
  ask({ ...sql, all: explain, each: explain });
  return steps.join("\n");
}

const SORTS = "TEMP B-TREE FOR ORDER BY";
const READS_ALL = /SCAN dead_letters$/m;

describe("the indexes of the dead letters", () => {
  it.each([
    ["a page", (sql: Sql) => page(sql, whereOf({}), 100, undefined)],
    ["a later page", (sql: Sql) => page(sql, whereOf({}), 100, [1, "id"])],
    ["a page of a filter", (sql: Sql) => page(sql, whereOf({ action: ["a"], status: [400, "none"] }), 100, undefined)],
    ["a page of all states", (sql: Sql) => page(sql, whereOf({}, DEAD_LETTER_STATES), 100, undefined)],
    ["a page of whole rows", (sql: Sql) => wholePage(sql, whereOf({}), 100, undefined)],
    ["a part of a plan", (sql: Sql) => idsAfter(sql, whereOf({}), "id", 100)],
    ["a part of a plan of a filter", (sql: Sql) => idsAfter(sql, whereOf({ organization: ["o"] }), "id", 100)],
    ["what is reconciled next", (sql: Sql) => liveAfter(sql, [1, "id"], 100)],
  ])("hold the order of %s", (_, ask) => {
    const plan = planOf(ask);
    expect(plan).toContain("USING INDEX dead_letters_");
    expect(plan).not.toContain(SORTS);
  });

  it("hold all columns of a filter, so that only what it finds is read", () => {
    const filter = {
      class: ["rejected"],
      action: ["a"],
      organization: ["o"],
      route: ["r"],
      reason: ["w"],
      status: [1],
    } as const;
    expect(planOf((sql) => page(sql, whereOf(filter), 100, undefined))).toContain("INDEX dead_letters_listed (live=?)");
    const listed = STEPS.join().match(/INDEX dead_letters_listed ON dead_letters \(([^)]*)\)/)?.[1];
    const columns = listed?.split(",").map((column) => column.trim());
    expect(columns).toEqual(expect.arrayContaining([...Object.keys(filter), "state", "live", "parked_at", "event_id"]));
  });

  it.each([
    ["open", ["open"], "class"],
    ["live", undefined, "class"],
    ["open", ["open"], "organization"],
    ["live", undefined, "organization"],
  ] as const)("count the %s ones (%j) by %s in one pass", (_, states, by) => {
    const plan = planOf((sql) => groups(sql, whereOf({}, states), by));
    expect(plan).toContain(`INDEX dead_letters_by_${by} (live=?)`);
    expect(plan).not.toContain("TEMP B-TREE FOR GROUP BY");
  });

  it("find the dead letters of a request without the others", () => {
    const search = { requestId: "r", sinceMs: 1, untilMs: 2, afterId: "", limit: 10 };
    expect(planOf((sql) => idsOfRequest(sql, search))).toContain("dead_letters_by_request (<expr>=?)");
  });

  it("find the unreadable ones without the others", () => {
    expect(planOf((sql) => unreadableAfter(sql, "", 10))).toContain("dead_letters_by_class (live=? AND class=?)");
  });

  it("count a period without reading every row", () => {
    expect(planOf((sql) => countPeriod(sql, 1, 2))).not.toMatch(READS_ALL);
  });
});
