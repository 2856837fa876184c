import { parseGoDuration } from "../duration.ts";
import { parseExpression } from "./expression.ts";

/** The longest QStash waits between two attempts (upstash.com/docs/qstash/features/retry). */
const LONGEST_DELAY_MS = 86_400_000;

const RESET_HEADERS = ["retry-after", "x-ratelimit-reset", "x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"];

/** QStash's own schedule: `min(86400, e^(2.5 n))` seconds before retry n (1, 2, …), in whole milliseconds. */
export function scheduledDelay(n: number): number {
  return Math.min(LONGEST_DELAY_MS, Math.round(Math.exp(2.5 * n) * 1000));
}

interface FailedAttempt {
  /** Retries already made: 0 after the first attempt. */
  retried: number;
  /** The message's `Upstash-Retry-Delay`, already checked when it was accepted. */
  retryDelay?: string | undefined;
  /** The headers of the destination's answer, names in lower case. */
  header: Record<string, string[]>;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * Returns the wait before the next attempt, in milliseconds.
 *
 * The answer's own header comes first (a wait of more than a day is ignored), then the message's expression, then the schedule.
 */
export function nextDelay(attempt: FailedAttempt): number {
  for (const name of RESET_HEADERS) {
    const wish = readWish(attempt.header[name]?.[0], attempt.now);
    if (wish !== undefined && wish <= LONGEST_DELAY_MS) return wish;
  }
  if (attempt.retryDelay !== undefined) {
    const delay = parseExpression(attempt.retryDelay)(attempt.retried);
    if (!Number.isNaN(delay)) return Math.min(LONGEST_DELAY_MS, Math.max(0, Math.round(delay)));
  }
  return scheduledDelay(attempt.retried + 1);
}

function readWish(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  const duration = parseGoDuration(text);
  if (duration !== undefined) return Math.round(duration);
  // Date.parse also accepts partial dates; QStash accepts only RFC 1123, which begins with a weekday.
  const date = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
