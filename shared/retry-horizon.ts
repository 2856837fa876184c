/**
 * The retry horizon: how many attempts QStash makes and when, so that the last one falls between 18 h and 23 h after the first,
 * inside WorkOS's 24 h idempotency window. The one place where this is computed.
 */
const HOUR_MS = 3_600_000;
const FIRST_DELAY_MS = 60_000;

/** Bounds of the horizon: long enough for an outage of most of a day, short enough for the 24 h window. Our choice. */
export const HORIZON_MIN_MS = 18 * HOUR_MS;
export const HORIZON_MAX_MS = 23 * HOUR_MS;

/** QStash's smallest plan is said to cap retries at 3; the value is a choice of the plan, so it is an option. */
export const DEFAULT_RETRIES = 3;

/** Growth of the delay for each number of retries, chosen so that the delays sum to about 20 h. */
const GROWTH: Readonly<Record<number, number>> = { 3: 34, 4: 10.3, 5: 5.6, 6: 3.85, 7: 3.05, 8: 2.57 };

export interface RetryPlan {
  /** Value of `Upstash-Retries`; attempts are one more. */
  readonly retries: number;
  /** Value of `Upstash-Retry-Delay`: ms, with `retried` counted from 0. https://upstash.com/docs/qstash/features/retry */
  readonly delayExpression: string;
  readonly delaysMs: readonly number[];
  readonly horizonMs: number;
}

/** True for a number of retries that there is a plan for, 3 to 8. */
export function isRetries(retries: number): boolean {
  return GROWTH[retries] !== undefined;
}

/** The plan for a number of retries, 3 to 8; throws a RangeError outside. */
export function retryPlan(retries: number = DEFAULT_RETRIES): RetryPlan {
  const growth = GROWTH[retries];
  if (growth === undefined) throw new RangeError('"retries" must be a whole number from 3 to 8');
  const delaysMs = Array.from({ length: retries }, (_, retried) => Math.round(FIRST_DELAY_MS * growth ** retried));
  return {
    retries,
    delayExpression: retryDelayExpression(retries),
    delaysMs,
    horizonMs: delaysMs.reduce((sum, delay) => sum + delay, 0),
  };
}

/** Value of `Upstash-Retry-Delay` alone, for whoever checked the number of retries before. */
export function retryDelayExpression(retries: number = DEFAULT_RETRIES): string {
  return `${FIRST_DELAY_MS} * pow(${GROWTH[retries]}, retried)`;
}
