/** Statistics of repeated rounds: quantiles, and ratios with the interval in which 95 % of their bootstrap resamples lie. */
import { quantile, sampleWithReplacement } from "simple-statistics";

/** A figure with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Resamples for an interval: enough that its ends move by less than they say. */
const RESAMPLES = 400;

/**
 * Estimates a figure of rounds that were measured side by side. Rounds are drawn again as wholes, so that what disturbed one round
 * disturbs both sides of a ratio. `random` is for tests.
 */
export function estimate<Round>(
  rounds: readonly Round[],
  figure: (rounds: readonly Round[]) => number,
  random: () => number = Math.random,
): Estimate {
  const value = figure(rounds);
  const again = Array.from({ length: RESAMPLES }, () =>
    figure(sampleWithReplacement([...rounds], rounds.length, random)),
  );
  return { value, low: quantile(again, 0.025), high: quantile(again, 0.975) };
}

/** The `q` quantile of all samples of the rounds together. */
export function pooled(rounds: readonly (readonly number[])[], q: number): number {
  return quantile(rounds.flat(), q);
}

/** Returns true if the two intervals share a value, so that the difference may be noise. */
export function overlaps(a: Estimate, b: Estimate): boolean {
  return a.low <= b.high && b.low <= a.high;
}

/** A ratio with its interval for people, such as `× 1.03 (1.01–1.05)`. */
export function times(estimate: Estimate): string {
  return `× ${ratio(estimate.value)} (${ratio(estimate.low)}–${ratio(estimate.high)})`;
}

function ratio(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(2);
}
