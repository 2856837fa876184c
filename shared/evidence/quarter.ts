/** Quarters of an hour on the clock (:00, :15, :30, :45), numbered since the epoch. Each makes one digest, or several if it is large. */

const QUARTER_MS = 15 * 60_000;

/** Returns the quarter that holds a time. */
export function quarterAt(ms: number): number {
  return Math.floor(ms / QUARTER_MS);
}

/** Returns the start of a quarter, ms since the epoch. */
export function quarterStartMs(quarter: number): number {
  return quarter * QUARTER_MS;
}
