import { describe, expect, it } from "vitest";
import { IDEMPOTENCY_WINDOW_MS } from "../../shared/limits.ts";
import { DEFAULT_RETRIES, HORIZON_MAX_MS, HORIZON_MIN_MS, retryPlan } from "../../shared/retry-horizon.ts";

describe("retryPlan", () => {
  it.each([3, 4, 5, 6, 7, 8])("ends between 18 h and 23 h with %i retries", (retries) => {
    const plan = retryPlan(retries);
    expect(plan.delaysMs).toHaveLength(retries);
    expect(plan.horizonMs).toBeGreaterThanOrEqual(HORIZON_MIN_MS);
    expect(plan.horizonMs).toBeLessThanOrEqual(HORIZON_MAX_MS);
    expect(plan.horizonMs).toBeLessThan(IDEMPOTENCY_WINDOW_MS);
  });

  it("says to QStash what it computes itself", () => {
    const plan = retryPlan(5);
    const [, first, growth] = /^(\d+) \* pow\(([\d.]+), retried\)$/.exec(plan.delayExpression)!;
    const said = plan.delaysMs.map((_, retried) => Math.round(Number(first) * Number(growth) ** retried));
    expect(said).toEqual(plan.delaysMs);
  });

  it("fits QStash's smallest plan by default", () => {
    expect(retryPlan().retries).toBe(3);
    expect(DEFAULT_RETRIES).toBe(3);
  });

  it("waits longer each time, a minute at first", () => {
    const { delaysMs } = retryPlan(8);
    expect(delaysMs[0]).toBe(60_000);
    expect(delaysMs).toEqual(delaysMs.toSorted((a, b) => a - b));
  });

  it.each([0, 2, 9, 3.5, Number.NaN])("refuses %d retries", (retries) => {
    expect(() => retryPlan(retries)).toThrow(new RangeError('"retries" must be a whole number from 3 to 8'));
  });
});
