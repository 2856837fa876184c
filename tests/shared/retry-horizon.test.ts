import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IDEMPOTENCY_WINDOW_MS } from "../../shared/limits.ts";
import { parseExpression } from "../../dev/queue/delivery/expression.ts";
import { DEFAULT_RETRIES, HORIZON_MAX_MS, HORIZON_MIN_MS, keptWaitMs, retryPlan } from "../../shared/retry-horizon.ts";

describe("retryPlan", () => {
  it.each([3, 4, 5, 6, 7, 8])("ends between 18 h and 23 h with %i retries", (retries) => {
    const plan = retryPlan(retries);
    expect(plan.delaysMs).toHaveLength(retries);
    expect(plan.horizonMs).toBeGreaterThanOrEqual(HORIZON_MIN_MS);
    expect(plan.horizonMs).toBeLessThanOrEqual(HORIZON_MAX_MS);
    expect(plan.horizonMs).toBeLessThan(IDEMPOTENCY_WINDOW_MS);
  });

  it.each([3, 4, 5, 6, 7, 8])("says to QStash what it computes itself, with %i retries", (retries) => {
    const plan = retryPlan(retries);
    const delayOf = parseExpression(plan.delayExpression);
    expect(plan.delaysMs.map((_, retried) => Math.round(delayOf(retried)))).toEqual(plan.delaysMs);
  });

  it("fits QStash's smallest plan by default", () => {
    expect(retryPlan().retries).toBe(3);
    expect(DEFAULT_RETRIES).toBe(3);
  });

  it.each([3, 4, 5, 6, 7, 8])("waits 1 minute, then 5, then longer each time, with %i retries", (retries) => {
    const { delaysMs } = retryPlan(retries);
    expect(delaysMs.slice(0, 2)).toEqual([60_000, 300_000]);
    expect(delaysMs).toEqual(delaysMs.toSorted((a, b) => a - b));
  });

  it.each([0, 2, 9, 3.5, Number.NaN])("refuses %d retries", (retries) => {
    expect(() => retryPlan(retries)).toThrow(new RangeError('"retries" must be a whole number from 3 to 8'));
  });
});

describe("keptWaitMs", () => {
  const HOUR_MS = 3_600_000;
  const { delaysMs } = retryPlan(3);

  it("keeps a short wait before the second attempt, and makes none shorter later", () => {
    expect(keptWaitMs(7_000, 0, 0, 3)).toBe(7_000);
    expect(keptWaitMs(7_000, 1, 60_000, 3)).toBe(delaysMs[1]);
    expect(keptWaitMs(7_000, 2, 360_000, 3)).toBe(delaysMs[2]);
    expect(keptWaitMs(600_000, 1, 60_000, 3)).toBe(600_000);
  });

  it("answers undefined after the last attempt", () => {
    expect(keptWaitMs(7_000, 3, 20 * HOUR_MS, 3)).toBeUndefined();
  });

  it.each([3, 4, 5, 6, 7, 8])("keeps every attempt inside 23 h, whatever is asked, with %i retries", (retries) => {
    const asked = fc.constantFrom(0, 1_000, 120_000, HOUR_MS, 3 * HOUR_MS, 12 * HOUR_MS, 24 * HOUR_MS);
    fc.assert(
      fc.property(fc.array(asked, { minLength: retries, maxLength: retries }), (waits) => {
        const planned = retryPlan(retries).delaysMs;
        let elapsedMs = 0;
        for (const [retried, askedMs] of waits.entries()) {
          const keptMs = keptWaitMs(askedMs, retried, elapsedMs, retries) ?? Number.NaN;
          expect(keptMs).toBeGreaterThanOrEqual(retried === 0 ? 0 : (planned[retried] ?? 0));
          expect(keptMs).toBeGreaterThanOrEqual(Math.min(askedMs, planned[retried] ?? 0));
          elapsedMs += keptMs;
        }
        expect(elapsedMs).toBeLessThanOrEqual(HORIZON_MAX_MS);
      }),
    );
  });
});
