import { describe, expect, it } from "vitest";
import { drive, poisson } from "../../bench/bytes/measure.ts";
import { part } from "../../bench/bytes/part.ts";
import { generator, makeWorkload } from "../../bench/workload.ts";

describe("drive", () => {
  it("sends one record in each message where none may wait", async () => {
    const published = await drive({
      traceparent: true,
      requests: 50,
      gapMs: () => 1_000,
      options: { maxRecords: 1 },
    });
    expect(published).toHaveLength(50);
    expect(published.every(({ records, bytes }) => records === 1 && bytes > 100)).toBe(true);
  });

  it("brings every record out, whatever the rate", async () => {
    for (const rate of [10, 100, 1_000]) {
      const published = await drive({ traceparent: false, requests: 300, gapMs: poisson(rate) });
      expect(published.reduce((sum, { records }) => sum + records, 0)).toBe(300);
    }
  });

  it("shares messages more the more requests there are", async () => {
    const count = async (rate: number) =>
      (await drive({ traceparent: false, requests: 500, gapMs: poisson(rate) })).length;
    expect(await count(1_000)).toBeLessThan(await count(100));
  });
});

it("draws the same workload for the same seed, with a trace context only where asked for", () => {
  const urls = (seed: number) =>
    Array.from({ length: 20 }, makeWorkload({ traceparent: true }, seed)).map(
      ({ request }) => `${request.method} ${request.url} ${request.headers.get("traceparent")}`,
    );
  expect(urls(1)).toEqual(urls(1));
  expect(urls(1)).not.toEqual(urls(2));
  expect(makeWorkload({ traceparent: false })().request.headers.has("traceparent")).toBe(false);
});

it("has a mean gap that follows from the rate", () => {
  const draw = generator(9);
  const gap = poisson(100);
  const total = Array.from({ length: 5_000 }, () => gap(draw)).reduce((sum, ms) => sum + ms, 0);
  expect(total / 5_000).toBeGreaterThan(9);
  expect(total / 5_000).toBeLessThan(11);
});

it("reports each figure with its goal", async () => {
  const steps: number[] = [];
  const { goals, tables, notes } = await part.run({ quick: true, step: (_label, done) => steps.push(done) });
  expect(goals).toHaveLength(5);
  expect(goals.some(({ name }) => name.includes("with `traceparent`"))).toBe(false);
  expect(goals.every(({ figure }) => /\d/.test(figure))).toBe(true);
  expect(tables[0]?.rows).toHaveLength(4);
  expect(notes.join()).toContain("Workload");
  expect(steps).toEqual(steps.toSorted((a, b) => a - b));
});
