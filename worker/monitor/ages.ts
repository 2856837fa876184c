/** Ages of events as a small histogram, from which quantiles are read. Pure. */

/** Upper bound of the first bucket. Each further bound is a fifth higher, so a quantile is at most a tenth off. Our choice. */
const FIRST_BOUND_MS = 10;
const RATIO = 1.2;
/** The last bucket ends above the ledger's retention. */
const LAST_BUCKET = 120;

/** Returns the bucket of an age, 0 to `LAST_BUCKET`. A clock that goes back causes no negative age. */
export function ageBucket(ageMs: number): number {
  if (ageMs <= FIRST_BOUND_MS) return 0;
  return Math.min(Math.ceil(Math.log(ageMs / FIRST_BOUND_MS) / Math.log(RATIO)), LAST_BUCKET);
}

/** Returns a quantile in ms from counts by bucket; undefined if nothing was counted. */
export function quantileMs(counts: ReadonlyMap<number, number>, quantile: number): number | undefined {
  const sorted = [...counts].toSorted(([left], [right]) => left - right);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [bucket, count] of sorted) {
    seen += count;
    if (seen >= quantile * total) return middleMs(bucket);
  }
  return undefined;
}

/** The geometric middle of a bucket. */
function middleMs(bucket: number): number {
  return Math.round(FIRST_BOUND_MS * RATIO ** (bucket - 0.5));
}
