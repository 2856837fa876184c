/**
 * The pace of all deliveries together: WorkOS counts events, QStash's flow control counts messages. If the bucket is empty, a
 * caller learns how long to wait. Its tokens are taken at once, so callers proceed in the order of arrival. Pure: state in, state
 * out.
 */
import { HOLD_MS } from "./held-tokens.ts";

/**
 * Events in one burst. WorkOS allows 6,000 requests a minute per API key: a burst and a minute at 80 a second are 5,400.
 * https://workos.com/docs/reference/rate-limits
 */
export const BURST_EVENTS = 600;

/** A bucket with fewer tokens lends none: then each message asks for its own turn. Our choice. */
const LENDS_FROM = BURST_EVENTS / 2;

export interface Bucket {
  /** Below zero: admitted events that wait for their turn. */
  readonly tokens: number;
  /** When `tokens` was counted, ms since the epoch. */
  readonly atMs: number;
}

interface Admission {
  readonly bucket: Bucket;
  /** How long the events must wait before the first of them is sent. */
  readonly waitMs: number;
}

/** A bucket unused for as long as it takes to fill. */
export function fullBucket(nowMs: number): Bucket {
  return { tokens: BURST_EVENTS, atMs: nowMs };
}

/** A bucket with unknown use, such as after a crash: nothing may go out faster than the rate. */
export function emptyBucket(nowMs: number): Bucket {
  return { tokens: 0, atMs: nowMs };
}

/** Time after which a bucket is full whatever it held, if nobody waits. */
export function fillMs(ratePerSecond: number): number {
  return (BURST_EVENTS / ratePerSecond) * 1_000;
}

/** Takes one token for each of `count` events, after `unused` ones came back. A clock that goes back adds nothing. */
export function admit(bucket: Bucket, count: number, ratePerSecond: number, nowMs: number, unused = 0): Admission {
  const elapsedMs = Math.max(nowMs - bucket.atMs, 0);
  const filled = Math.min(bucket.tokens + unused + (elapsedMs * ratePerSecond) / 1_000, BURST_EVENTS);
  const tokens = filled - count;
  const waitMs = tokens >= 0 ? 0 : Math.ceil((-tokens * 1_000) / ratePerSecond);
  return { bucket: { tokens, atMs: nowMs }, waitMs };
}

/**
 * Lends tokens that the caller uses, or returns, within `HOLD_MS`; undefined if there are too few. What the bucket could gain in that
 * time is left out first, so that it and all that is held are never more than a burst.
 */
export function lend({ tokens, atMs }: Bucket, wanted: number, ratePerSecond: number): Bucket | undefined {
  const left = Math.min(tokens, BURST_EVENTS - (HOLD_MS * ratePerSecond) / 1_000) - wanted;
  return left < LENDS_FROM ? undefined : { tokens: left, atMs };
}
