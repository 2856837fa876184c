import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  admit,
  BURST_EVENTS,
  emptyBucket,
  fillMs,
  fullBucket,
  type Bucket,
} from "../../../worker/monitor/token-bucket.ts";

const START_MS = 1_800_000_000_000;

/** Admits in turn; answers when each may start, in ms after the start. */
function starts(bucket: Bucket, rate: number, calls: readonly (readonly [atMs: number, count: number])[]): number[] {
  let state = bucket;
  return calls.map(([atMs, count]) => {
    const admission = admit(state, count, rate, START_MS + atMs);
    state = admission.bucket;
    return atMs + admission.waitMs;
  });
}

const many = (count: number, size: number, atMs = 0) => Array.from({ length: count }, () => [atMs, size] as const);

describe("admit", () => {
  it("lets a message of 20 go at once when nothing else waits", () => {
    expect(starts(fullBucket(START_MS), 80, [[0, 20]])).toEqual([0]);
  });

  it("lets 600 go in a burst, and the next ones at the rate", () => {
    const at = starts(fullBucket(START_MS), 80, many(34, 20));
    expect(at.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => 0));
    expect(at.slice(30)).toEqual([250, 500, 750, 1_000]);
  });

  it("fills again while nobody comes, and holds no more than a burst", () => {
    expect(fillMs(80)).toBe(7_500);
    const day = 86_400_000;
    expect(starts(emptyBucket(START_MS), 80, [[7_500, 600]])).toEqual([7_500]);
    expect(starts(emptyBucket(START_MS), 80, [[7_400, 600]])).toEqual([7_500]);
    expect(
      starts(emptyBucket(START_MS), 80, [
        [day, 600],
        [day, 1],
      ]),
    ).toEqual([day, day + 13]);
  });

  it("lets nothing go in a burst where its use is not known", () => {
    expect(
      starts(emptyBucket(START_MS), 80, [
        [0, 1],
        [0, 20],
      ]),
    ).toEqual([13, 263]);
  });

  it("adds nothing for a clock that goes back, and goes on from there", () => {
    expect(
      starts(emptyBucket(START_MS), 80, [
        [0, 1],
        [-60_000, 1],
        [-59_000, 1],
      ]),
    ).toEqual([13, -59_975, -59_000]);
  });

  it.each([1, 20, 80, 100])("never lets out more than a burst and the rate, at %i a second, in any span", (rate) => {
    const call = fc.tuple(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 1, max: 100 }));
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 60 }), (gaps) => {
        let atMs = 0;
        const calls = gaps.map(([gapMs, count]) => [(atMs += gapMs), count] as const);
        const at = starts(fullBucket(START_MS), rate, calls);
        for (let from = 0; from < at.length; from++) {
          let sent = 0;
          for (let to = from; to < at.length; to++) {
            // A message counts once it may start, but for its own events.
            const spanMs = (at[to] ?? 0) - (at[from] ?? 0);
            expect(sent).toBeLessThanOrEqual(BURST_EVENTS + (spanMs * rate) / 1_000 + 1);
            sent += calls[to]?.[1] ?? 0;
          }
        }
        // First come, first served.
        expect(at).toEqual(at.toSorted((a, b) => a - b));
      }),
    );
  });

  it.each([1, 80, 100])("wastes nothing of the rate while somebody waits, at %i a second", (rate) => {
    const at = starts(emptyBucket(START_MS), rate, many(500, 7));
    expect(at.at(-1)).toBeCloseTo((500 * 7 * 1_000) / rate, -1);
  });
});
