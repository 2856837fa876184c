/** The history of `GET /api/metrics`: what is kept, for how long, at which cost, and what a query may ask for. */
import { describe, expect, it } from "vitest";
import { METRIC_SERIES } from "../../../shared/api.ts";
import { parseMetricsQuery } from "../../../worker/api/metrics-query.ts";
import { gaugesOf } from "../../../worker/monitor/gauges.ts";
import { ageBucket, quantileMs } from "../../../worker/monitor/ages.ts";
import { History, HOURS_KEPT_S, MINUTES_KEPT_S } from "../../../worker/monitor/history.ts";
import { STEPS } from "../../../worker/monitor/incidents.ts";
import { seriesOf } from "../../../worker/monitor/series.ts";
import { migrate } from "../../../worker/storage/migration.ts";
import { memorySql } from "../support/world.ts";

const HOUR_S = 3_600;
/** The beginning of an hour. */
const T_S = 1_800_000_000 - (1_800_000_000 % HOUR_S);

function started() {
  const sql = memorySql();
  migrate(sql, STEPS);
  const rows = (table: string) => sql.all<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)[0]?.n;
  return { sql, rows, history: new History(sql) };
}
const at = (atS: number) => atS * 1_000;
const open = (rejected: number, exhausted: number) => [
  { value: "rejected", count: rejected },
  { value: "exhausted", count: exhausted },
];

describe("the quantile of ages", () => {
  it.each([0, 1, 10, 11, 150, 999, 60_000, 86_400_000, 10_000_000_000])("is at most a tenth off for %i ms", (ageMs) => {
    const found = quantileMs(new Map([[ageBucket(ageMs), 3]]), 0.5) ?? Number.NaN;
    expect(found).toBeGreaterThanOrEqual(ageMs <= 10 ? 0 : Math.floor(ageMs / 1.1));
    expect(found).toBeLessThanOrEqual(Math.max(10, Math.ceil(ageMs * 1.1)));
  });

  it("finds the middle and the slowest hundredth, in any order of counting", () => {
    const counts = new Map([
      [ageBucket(60_000), 1],
      [ageBucket(100), 99],
    ]);
    expect(quantileMs(counts, 0.5)).toBe(quantileMs(new Map([[ageBucket(100), 1]]), 0.5));
    expect(quantileMs(counts, 0.99)).toBe(quantileMs(new Map([[ageBucket(100), 1]]), 0.5));
    expect(quantileMs(counts, 0.995)).toBe(quantileMs(new Map([[ageBucket(60_000), 1]]), 0.5));
    expect(quantileMs(new Map(), 0.5)).toBeUndefined();
  });
});

describe("the history", () => {
  it("adds up counts by minute and by hour, and keeps the newest of states", () => {
    const { history } = started();
    history.add([{ atS: T_S, numbers: { delivered: 2, age_5: 2 } }], at(T_S));
    history.add([{ atS: T_S, numbers: { delivered: 1, retried: 1, age_7: 1 } }], at(T_S + 1));
    history.add([{ atS: T_S + 60, numbers: { delivered: 4, refused: 1 } }], at(T_S + 61));
    history.sample(gaugesOf({ records: 1, spilled: 2, messages: 3, open: open(4, 1) }), at(T_S + 62));
    history.sample(gaugesOf({ records: 0, spilled: 0, messages: 0, open: open(1, 1) }), at(T_S + 63));
    const gauges = {
      now_waiting: 0,
      now_dead_letters_open: 2,
      now_dead_letters_open_rejected: 1,
      now_dead_letters_open_exhausted: 1,
    };
    expect(history.read("minutes", T_S, T_S + HOUR_S, at(T_S + 64))).toMatchObject([
      { atS: T_S, numbers: { delivered: 3, retried: 1, age_5: 2, age_7: 1 } },
      { atS: T_S + 60, numbers: { delivered: 4, refused: 1, ...gauges } },
    ]);
    expect(history.read("hours", T_S, T_S + HOUR_S, at(T_S + 64))).toMatchObject([
      { atS: T_S, numbers: { delivered: 7, retried: 1, refused: 1, ...gauges } },
    ]);
  });

  it("writes once a minute, whatever is counted, and knows when that is due", () => {
    const { sql, history } = started();
    const changes = () => sql.all<{ n: number }>("SELECT total_changes() AS n")[0]?.n ?? 0;
    history.add([{ atS: T_S, numbers: { delivered: 1 } }], at(T_S));
    expect(history.dueMs).toBe(Infinity);
    const before = changes();
    for (let second = 1; second < 60; second++) {
      history.add([{ atS: T_S, numbers: { delivered: 1 } }], at(T_S + second));
    }
    expect(changes()).toBe(before);
    expect(history.dueMs).toBe(at(T_S + 60));
    history.save(history.dueMs);
    expect(changes() - before).toBe(2);
    expect(history.dueMs).toBe(Infinity);
  });

  it("shows nothing that a restart would lose", () => {
    const { sql, history } = started();
    for (const second of [0, 1, 2]) history.add([{ atS: T_S, numbers: { delivered: 1 } }], at(T_S + second));
    const shown = history.read("minutes", T_S, T_S + 60, at(T_S + 3));
    expect(shown).toEqual([{ atS: T_S, numbers: { delivered: 3 } }]);
    expect(new History(sql).read("minutes", T_S, T_S + 60, at(T_S + 3))).toEqual(shown);
  });

  it("keeps what could not be written", () => {
    const { sql, history } = started();
    sql.all("ALTER TABLE hours RENAME TO gone");
    expect(() => history.add([{ atS: T_S, numbers: { delivered: 1 } }], at(T_S))).toThrow("hours");
    expect(history.dueMs).toBe(at(T_S + 60));
    sql.all("ALTER TABLE gone RENAME TO hours");
    history.save(at(T_S + 60));
    expect(history.read("minutes", T_S, T_S + 60, at(T_S + 61))).toEqual([{ atS: T_S, numbers: { delivered: 1 } }]);
  });

  it("forgets minutes after 48 hours and hours after 90 days", () => {
    const { rows, history } = started();
    history.add([{ atS: T_S, numbers: { delivered: 1 } }], at(T_S));
    history.add([{ atS: T_S + MINUTES_KEPT_S, numbers: { delivered: 1 } }], at(T_S + MINUTES_KEPT_S));
    expect(rows("minutes")).toBe(2);
    history.add([{ atS: T_S + MINUTES_KEPT_S + 60, numbers: { delivered: 1 } }], at(T_S + MINUTES_KEPT_S + 60));
    expect(rows("minutes")).toBe(2);
    expect(rows("hours")).toBe(2);
    history.add([{ atS: T_S + HOURS_KEPT_S + HOUR_S, numbers: {} }], at(T_S + HOURS_KEPT_S + HOUR_S));
    expect(rows("hours")).toBe(2);
  });
});

describe("the series", () => {
  const slots = [
    { atS: T_S, numbers: { delivered: 1, [`age_${ageBucket(100)}`]: 1, now_waiting: 9 } },
    { atS: T_S + 60, numbers: { delivered: 2, retried: 3, now_waiting: 5 } },
    { atS: T_S + 180, numbers: { refused: 1 } },
  ];

  it("have every name, counts for each step, and states and ages where they are known", () => {
    const { step_seconds, series } = seriesOf(slots, { fromS: T_S + 30, untilS: T_S + 200, stepS: 60 });
    expect(step_seconds).toBe(60);
    expect(Object.keys(series)).toEqual(METRIC_SERIES);
    expect(series.delivered).toEqual([T_S, T_S + 60, T_S + 120, T_S + 180].map((atS, i) => [atS, [1, 2, 0, 0][i]]));
    expect(series.retried.map(([, count]) => count)).toEqual([0, 3, 0, 0]);
    expect(series.refused.map(([, count]) => count)).toEqual([0, 0, 0, 1]);
    expect(series.waiting).toEqual([
      [T_S, 9],
      [T_S + 60, 5],
    ]);
    expect(series.age_p50_ms).toEqual([[T_S, expect.any(Number)]]);
    expect(series.dead_letters_open).toEqual([]);
  });

  it("merge the minutes of a longer step", () => {
    const { series } = seriesOf(slots, { fromS: T_S, untilS: T_S + 300, stepS: 300 });
    expect(series).toMatchObject({ delivered: [[T_S, 3]], refused: [[T_S, 1]], waiting: [[T_S, 5]] });
  });
});

describe("the query", () => {
  const now = T_S + 1_234;
  const parsed = (query: string) => parseMetricsQuery(new URLSearchParams(query), at(now));

  it.each<[string, object]>([
    ["", { fromS: now + 1 - HOUR_S, untilS: now + 1, stepS: 60 }],
    [`from=${T_S}`, { fromS: T_S, untilS: now + 1, stepS: 60 }],
    [
      `from=${new Date(at(T_S)).toISOString()}&until=${T_S + 600}&step=120`,
      { fromS: T_S, untilS: T_S + 600, stepS: 120 },
    ],
    [`from=${now - 24 * HOUR_S}`, { stepS: 300 }],
    [`from=${now - 48 * HOUR_S}&step=60`, { stepS: 60 }],
    [`from=${now - 7 * 24 * HOUR_S}`, { stepS: HOUR_S }],
    [`from=${now - 30 * 24 * HOUR_S}`, { stepS: 6 * HOUR_S }],
    [`from=${now - 90 * 24 * HOUR_S}&step=3600`, { stepS: HOUR_S }],
  ])("%j is understood", (query, range) => {
    expect(parsed(query)).toMatchObject(range);
  });

  it.each([
    ["from=yesterday", '"from" must be Unix seconds, or an ISO 8601 time with a zone'],
    ["until=1.5", '"until" must be Unix seconds'],
    ["from=2026-11-30", '"from" must be Unix seconds'],
    ["from=-5", '"from" must be Unix seconds'],
    ["step=fast", '"step" must be a whole number of seconds'],
    ["step=0", '"step" must be a multiple of 60'],
    ["step=90", '"step" must be a multiple of 60'],
    ["step=5400", '"step" must be a multiple of 60 below an hour, or of 3600'],
    ["step=999999999", '"step" must be a multiple'],
    [`from=${now - 49 * HOUR_S}&step=60`, '"step" must be at least 3600 if "from" is more than 48 hours ago'],
    [`from=${now - 91 * 24 * HOUR_S}`, '"from" must be at most 90 days ago'],
    [`until=${now + 90 * 24 * HOUR_S}&from=${now}&step=60`, '"step" must be larger: at most 3000 points'],
    [`from=${now}&until=${now}`, '"from" must be before "until"'],
    ["from=1&from=2", '"from" must be given at most once'],
    ["window=1h", '"window" is not a parameter of this route'],
  ])("%j is refused with the reason", (query, reason) => {
    expect(() => parsed(query)).toThrow(reason);
  });
});
