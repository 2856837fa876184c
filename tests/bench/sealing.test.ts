/** What the part that times the sealing says of events and digests. */
import { describe, expect, it } from "vitest";
import { cronTimes, delaysOf, report } from "../../bench/sealing/part.ts";

const UNTIL_MS = 900_000;
const digests = [
  { atMs: 905_000, eventIds: ["a", "b"] },
  { atMs: 1_805_000, eventIds: ["c"] },
];

describe("delays of sealing", () => {
  it("run from the delivery of an event to the checkpoint that covers it", () => {
    const delivered = [
      { eventId: "a", atMs: 5_000 },
      { eventId: "c", atMs: 901_000 },
      { eventId: "b", atMs: 899_000 },
    ];
    expect(delaysOf(delivered, digests, UNTIL_MS)).toEqual({ delaysMs: [900_000, 904_000, 6_000], unsealed: 0 });
  });

  it("count an event that no digest holds, unless it belongs to a quarter that has not ended", () => {
    const delivered = [
      { eventId: "a", atMs: 5_000 },
      { eventId: "lost", atMs: 6_000 },
      { eventId: "later", atMs: UNTIL_MS },
    ];
    expect(delaysOf(delivered, digests, UNTIL_MS)).toEqual({ delaysMs: [900_000], unsealed: 1 });
  });
});

describe("the cron", () => {
  it("runs every five minutes on the clock, and last when the quarter has ended", () => {
    expect(cronTimes(100_000, UNTIL_MS)).toEqual([300_000, 600_000, 900_000]);
    expect(cronTimes(300_000, 1_000_000)).toEqual([600_000, 900_000, 1_200_000]);
  });

  it("runs once in a run that ends before the next five minutes", () => {
    expect(cronTimes(100_000, 110_000)).toEqual([110_000]);
  });
});

describe("the goal", () => {
  const goalOf = (delaysMs: readonly number[], unsealed: number) =>
    report({ delaysMs, unsealed, digests: 1, roundsMs: [100] }).goals[0];

  it.each([
    ["is met at twenty minutes", [60_000, 1_200_000], 0, true, "20.0 min"],
    ["is missed later", [60_000, 1_260_000], 0, false, "21.0 min"],
    ["is missed where an event is in no digest", [60_000], 1, false, "1.0 min, 1 not sealed"],
    ["is missed where nothing was sealed", [], 0, false, "none"],
  ])("%s", (_, delaysMs, unsealed, met, figure) => {
    expect(goalOf(delaysMs, unsealed)).toMatchObject({ met, figure });
  });
});
