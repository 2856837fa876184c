import { describe, expect, it } from "vitest";
import { estimate, overlaps, pooled, times } from "../../bench/stats/summary.ts";
import { generator } from "../../bench/workload.ts";

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("estimate", () => {
  it("gives the figure of all rounds, and an interval that holds it", () => {
    const rounds = Array.from({ length: 40 }, (_, i) => 100 + (i % 5));
    const { value, low, high } = estimate(rounds, mean, generator(1));
    expect(value).toBe(102);
    expect(low).toBeLessThan(102);
    expect(high).toBeGreaterThan(102);
    expect(high - low).toBeLessThan(2);
  });

  it("has no spread where every round says the same", () => {
    expect(estimate([7, 7, 7], mean)).toEqual({ value: 7, low: 7, high: 7 });
  });

  it("draws rounds as wholes, so that a ratio of two sides that were disturbed together has no spread", () => {
    const rounds = [1, 2, 50, 3].map((load) => ({ ours: 2 * load, none: load }));
    const ratio = (some: typeof rounds) => mean(some.map(({ ours }) => ours)) / mean(some.map(({ none }) => none));
    expect(estimate(rounds, (some) => ratio([...some]))).toEqual({ value: 2, low: 2, high: 2 });
  });

  it("widens with the noise", () => {
    const width = (noise: number) => {
      const rounds = Array.from({ length: 20 }, (_, i) => 100 + (i % 2 === 0 ? noise : -noise));
      const { low, high } = estimate(rounds, mean, generator(3));
      return high - low;
    };
    expect(width(20)).toBeGreaterThan(5 * width(2));
  });
});

describe("pooled", () => {
  it("takes the quantile of all samples, not of the rounds' quantiles", () => {
    expect(pooled([[1, 1, 1, 1, 1, 1, 1, 1], [100]], 0.5)).toBe(1);
    expect(
      pooled(
        [
          [1, 2, 3],
          [4, 5],
        ],
        1,
      ),
    ).toBe(5);
  });
});

describe("overlaps", () => {
  const a = { value: 1, low: 0.9, high: 1.1 };
  it.each([
    [{ value: 1.2, low: 1.1, high: 1.3 }, true],
    [{ value: 1.2, low: 1.11, high: 1.3 }, false],
    [{ value: 0.5, low: 0.1, high: 0.89 }, false],
    [{ value: 1, low: 0, high: 2 }, true],
  ])("%o: %s", (b, expected) => {
    expect(overlaps(a, b)).toBe(expected);
    expect(overlaps(b, a)).toBe(expected);
  });
});

it("writes a ratio with its interval", () => {
  expect(times({ value: 1.234, low: 1, high: 12.6 })).toBe("× 1.23 (1.00–13)");
});
