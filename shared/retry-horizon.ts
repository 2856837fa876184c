/**
 * The retry horizon: how many attempts QStash makes, and when. The first two retries come early, for short problems. The last one
 * comes between 18 h and 23 h after the first attempt, inside WorkOS's 24 h idempotency window. In between, the breaker makes retries
 * unnecessary. Nothing else computes this.
 */
const HOUR_MS = 3_600_000;
const FIRST_DELAY_MS = 60_000;
const SECOND_DELAY_MS = 5 * FIRST_DELAY_MS;

/** Bounds of the horizon: long enough for an outage of most of a day, short enough for the 24 h window. Our choice. */
export const HORIZON_MIN_MS = 18 * HOUR_MS;
export const HORIZON_MAX_MS = 23 * HOUR_MS;

/** QStash's smallest plan is said to limit retries to 3. The limit depends on the plan, so this is an option. */
export const DEFAULT_RETRIES = 3;

/** Growth of the delay after the second for each number of retries, chosen so that the delays add up to about 20 h. */
const GROWTH: Readonly<Record<number, number>> = { 3: 239, 4: 15, 5: 5.84, 6: 3.63, 7: 2.73, 8: 2.26 };

interface RetryPlan {
  /** Value of `Upstash-Retries`; attempts are one more. */
  readonly retries: number;
  /** Value of `Upstash-Retry-Delay`: ms, with `retried` counted from 0. https://upstash.com/docs/qstash/features/retry */
  readonly delayExpression: string;
  readonly delaysMs: readonly number[];
  readonly horizonMs: number;
}

/** Returns true for a number of retries that has a plan, 3 to 8. */
export function isRetries(retries: number): boolean {
  return GROWTH[retries] !== undefined;
}

/**
 * Returns the plan for 3 to 8 retries. Throws a RangeError for any other number.
 *
 * @example
 * retryPlan(3).delaysMs; // [60_000, 300_000, 71_700_000]
 */
export function retryPlan(retries: number = DEFAULT_RETRIES): RetryPlan {
  const growth = GROWTH[retries];
  if (growth === undefined) throw new RangeError('"retries" must be a whole number from 3 to 8');
  const laterMs = (retried: number) => Math.round(SECOND_DELAY_MS * growth ** (retried - 1));
  const delaysMs = Array.from({ length: retries }, (_, retried) => (retried === 0 ? FIRST_DELAY_MS : laterMs(retried)));
  return { retries, delayExpression: retryDelayExpression(retries), delaysMs, horizonMs: sum(delaysMs) };
}

/** Returns the value of `Upstash-Retry-Delay`. The caller has checked `retries` with `isRetries`. */
export function retryDelayExpression(retries: number = DEFAULT_RETRIES): string {
  const ratio = SECOND_DELAY_MS / FIRST_DELAY_MS;
  return `${FIRST_DELAY_MS} * pow(${ratio}, min(retried, 1)) * pow(${GROWTH[retries]}, max(retried - 1, 0))`;
}

/**
 * Returns the wait before the next attempt in ms, if WorkOS asks for `askedMs`. Only the first wait may be shorter than planned,
 * because a few short waits would use up every attempt within minutes. No wait is so long that a later attempt would leave the
 * horizon.
 *
 * `retried` counts the retries so far, from 0. `elapsedMs` is the time since the first attempt. Returns undefined if the plan has no
 * further attempt.
 */
export function keptWaitMs(askedMs: number, retried: number, elapsedMs: number, retries: number = DEFAULT_RETRIES) {
  const { delaysMs } = retryPlan(retries);
  const plannedMs = delaysMs[retried];
  if (plannedMs === undefined) return undefined;
  const longestMs = HORIZON_MAX_MS - elapsedMs - sum(delaysMs.slice(retried + 1));
  const wishedMs = retried === 0 ? askedMs : Math.max(askedMs, plannedMs);
  return Math.min(wishedMs, Math.max(longestMs, plannedMs));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
