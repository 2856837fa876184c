import { expect, test } from "vitest";
import { nextDelay, scheduledDelay } from "../../../../dev/queue/delivery/backoff.ts";

const HOUR = 3_600_000;
const now = Date.parse("2026-11-24T12:00:00Z");

// upstash.com/docs/qstash/features/retry: 12s, 2m28s, 30m8s, 6h7m6s, 24h, 24h
test.each([
  [1, 12.182],
  [2, 148.413],
  [3, 1808.042],
  [4, 22_026.466],
  [5, 86_400],
  [6, 86_400],
  [400, 86_400],
])("retry %d comes after %d seconds", (n, seconds) => {
  expect(scheduledDelay(n)).toBe(Math.round(seconds * 1000));
});

// facts/qstash.md 2.6
test.each([
  [3, 0.547],
  [4, 6.67],
  [5, 30.67],
  [6, 54.67],
  [8, 102.67],
])("%d retries reach over %d hours", (retries, hours) => {
  let sum = 0;
  for (let n = 1; n <= retries; n += 1) sum += scheduledDelay(n);
  expect(sum / HOUR).toBeCloseTo(hours, 1);
});

test.each([
  ["retry-after", "10", 10_000],
  ["retry-after", "0", 0],
  ["retry-after", " 7 ", 7_000],
  ["retry-after", "6m5s", 365_000],
  ["retry-after", "Tue, 24 Nov 2026 12:00:30 GMT", 30_000],
  ["retry-after", "Tue, 24 Nov 2026 11:00:00 GMT", 0],
  ["retry-after", "86400", 86_400_000],
  ["x-ratelimit-reset", "20", 20_000],
  ["x-ratelimit-reset-requests", "1m", 60_000],
  ["x-ratelimit-reset-tokens", "1.5s", 1_500],
])("%s: %s moves the next attempt", (name, value, ms) => {
  expect(nextDelay({ retried: 1, header: { [name]: [value] }, now })).toBe(ms);
});

test.each(["86401", "25h", "Thu, 26 Nov 2026 12:00:00 GMT", "soon", "-5", "", "2026-11-24", "1e3"])(
  "Retry-After %j is ignored, and the schedule holds",
  (value) => {
    expect(nextDelay({ retried: 1, header: { "retry-after": [value] }, now })).toBe(148_413);
  },
);

test("a wish beyond a day gives way to the next header", () => {
  const header = { "retry-after": ["90000"], "x-ratelimit-reset": ["5"] };
  expect(nextDelay({ retried: 0, header, now })).toBe(5_000);
});

test.each([
  ["1000 * (1 + retried)", 0, 1_000],
  ["1000 * (1 + retried)", 3, 4_000],
  ["pow(10, 9)", 0, 86_400_000],
  ["-5", 0, 0],
  ["1 / 0", 0, 86_400_000],
  ["sqrt(-1)", 0, 12_182],
])("the message's own delay %s after %d retries is %d ms", (retryDelay, retried, ms) => {
  expect(nextDelay({ retried, retryDelay, header: {}, now })).toBe(ms);
});

test("the answer's wish wins over the message's own delay", () => {
  expect(nextDelay({ retried: 0, retryDelay: "1000", header: { "retry-after": ["9"] }, now })).toBe(9_000);
});
