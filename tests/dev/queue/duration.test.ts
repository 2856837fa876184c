import { expect, test } from "vitest";
import { parseDuration, parseGoDuration } from "../../../dev/queue/duration.ts";

test.each([
  ["3s", 3_000],
  ["50s", 50_000],
  ["2m", 120_000],
  ["1h", 3_600_000],
  ["1d", 86_400_000],
  ["1d10h30m", 124_200_000],
  ["1d1h30m", 91_800_000],
  ["10", 10_000],
  ["0s", 0],
])("reads the duration %s", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(["", "s", "3 s", "-3s", "1.5s", "3ms", "3w", "s3", "3s!", "1d 2h"])("refuses the duration %j", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test.each([
  ["6m5s", 365_000],
  ["1.5h", 5_400_000],
  ["250ms", 250],
  ["1h0m0.5s", 3_600_500],
  ["100us", 0.1],
  ["100µs", 0.1],
  ["1000ns", 0.001],
  [".5s", 500],
])("reads the Go duration %s", (text, ms) => {
  expect(parseGoDuration(text)).toBeCloseTo(ms, 6);
});

test.each(["", "5", "5d", "m", "6m5", "1.2.3s", "6 m"])("refuses the Go duration %j", (text) => {
  expect(parseGoDuration(text)).toBeUndefined();
});
