import { describe, expect, it } from "vitest";
import { withBreaker } from "../../bench/outage/breaker.ts";
import { report } from "../../bench/outage/part.ts";
import { SCHEDULES, underSchedule } from "../../bench/outage/schedules.ts";

const MINUTE = 60_000;
const HOUR_OF_ONE = { lengthMs: 60 * MINUTE, recordsPerSecond: 1 };

describe("a fixed schedule", () => {
  it("delivers a record at its first attempt after the outage", () => {
    const outage = { lengthMs: 3_000, recordsPerSecond: 1 };
    // Records at 0, 1 and 2 s; attempts 2 s and 6 s after each.
    expect(underSchedule([2_000, 4_000], outage)).toEqual({
      latenessMs: [6_000, 2_000, 2_000],
      recoveredAfterMs: 3_000,
      deadLetters: 0,
      mostAttempts: 3,
    });
  });

  it("ends in dead letters where its attempts are over before the outage", () => {
    expect(underSchedule([500], { lengthMs: 3_000, recordsPerSecond: 1 })).toMatchObject({
      deadLetters: 3,
      latenessMs: [],
    });
    const qstash = underSchedule(SCHEDULES["QStash's default, 3 retries"] ?? [], HOUR_OF_ONE);
    // Its horizon is 33 minutes, so the records of the first 27 are given up.
    expect(qstash.deadLetters / 60).toBeCloseTo(27.2, 0);
  });
});

describe("the worker's own rules", () => {
  it("deliver every record soon after the outage, with two attempts at most", async () => {
    const ended = await withBreaker(HOUR_OF_ONE);
    expect(ended.latenessMs).toHaveLength(3_600);
    expect(ended).toMatchObject({ deadLetters: 0 });
    expect(ended.mostAttempts).toBeLessThanOrEqual(2);
    // A probe within a minute, then what waits at 80 a second with a burst of 600.
    expect(ended.recoveredAfterMs).toBeLessThanOrEqual(MINUTE + ((3_600 - 600) / 80) * 1_000 + 1_000);
  });

  it("wait for nothing where WorkOS is up all the time", async () => {
    const ended = await withBreaker({ lengthMs: 0, recordsPerSecond: 1 });
    expect(ended).toEqual({ latenessMs: [], recoveredAfterMs: 0, deadLetters: 0, mostAttempts: 0 });
  });
});

it("the report holds ours to the goals", () => {
  const ours = { name: "ours", latenessMs: [1_000], recoveredAfterMs: 11 * MINUTE, deadLetters: 1, mostAttempts: 3 };
  expect(report([ours], HOUR_OF_ONE).goals.map(({ met }) => met)).toEqual([false, false]);
  const better = { ...ours, recoveredAfterMs: 9 * MINUTE, deadLetters: 0, mostAttempts: 2 };
  expect(report([better], HOUR_OF_ONE).goals.map(({ met }) => met)).toEqual([true, true]);
});
