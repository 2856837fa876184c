import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { BENCH_FIGURES } from "../../docs/generate/bench-figures.ts";
import {
  CPU_MS_PER_EVENT,
  priceOfMonth,
  pricesOfMillion,
  STORED_BYTES_PER_EVENT,
  sum,
  useOf,
  WAYS,
} from "../../docs/generate/cost-model.ts";
import { LEDGER_RETENTION_MS } from "../../shared/limits.ts";
import { DEFAULT_RETRIES } from "../../shared/retry-horizon.ts";
import { ROOT } from "./pages.ts";

const [alone, , twenty, durable, required] = WAYS as [
  (typeof WAYS)[0],
  unknown,
  (typeof WAYS)[0],
  (typeof WAYS)[0],
  (typeof WAYS)[0],
];

it("adds up a million lone events as by hand", () => {
  // 10 + 0.30 + 4 × 0.15 + 0.128 × 0.02 × 12.50 + 2 × 1 + 2 × 0.60, and the CPU
  expect(sum(pricesOfMillion(alone))).toBeCloseTo(14.132 + CPU_MS_PER_EVENT * 0.02, 10);
});

it("adds up a million events that share messages by twenty as by hand", () => {
  // 0.05 × (10 + 0.30 + 4 × 0.15 + 0.032) + 2 + 1.05 × 0.60, and the CPU
  expect(sum(pricesOfMillion(twenty))).toBeCloseTo(0.5466 + 2 + 0.63 + CPU_MS_PER_EVENT * 0.02, 10);
});

it("counts `durable` as a lone record and an intent as a message of its own", () => {
  expect(useOf(durable)).toEqual(useOf(alone));
  expect(useOf(required)).toMatchObject({ qstashMessages: 2, workerRequests: 2, rowsWritten: 2, objectRequests: 8 });
});

it("charges a month only for what is not included", () => {
  // 10 M messages at $10, 40 M object requests of which 1 M are included, 0.0256 M GB-s included, the rest included too.
  expect(priceOfMonth(alone, 10_000_000)).toBeCloseTo(5 + 100 + 39 * 0.15, 10);
  // Beyond: 90 M requests, all CPU but 30 M ms, 399 M object requests, 150 M rows, 180 M log lines.
  expect(priceOfMonth(alone, 100_000_000)).toBeCloseTo(
    5 + 1000 + 27 + (100 * CPU_MS_PER_EVENT - 30) * 0.02 + 399 * 0.15 + 150 + 108,
    10,
  );
  expect(priceOfMonth(twenty, 0)).toBe(5);
});

it("counts the CPU and the bytes that the benchmarks measured, rounded up", () => {
  const { aloneMs, sharedMs, busyMs, storedBytes } = BENCH_FIGURES;
  expect(CPU_MS_PER_EVENT).toBeGreaterThanOrEqual(Math.max(aloneMs.value, sharedMs.value, busyMs.value));
  expect(CPU_MS_PER_EVENT).toBeLessThan(aloneMs.value + 0.1);
  expect(STORED_BYTES_PER_EVENT).toBeGreaterThanOrEqual(storedBytes.value);
});

it("says in prose what the code says", () => {
  const page = readFileSync(join(ROOT, "docs/cost.md"), "utf8");
  const days = LEDGER_RETENTION_MS / 86_400_000;
  const gigabytes = ((STORED_BYTES_PER_EVENT * days) / 30.4 / 1000).toFixed(1);
  expect(page).toContain(
    `${STORED_BYTES_PER_EVENT} bytes for each event for ${days} days: ${gigabytes} GB at a million`,
  );
  expect(page).toContain(`${DEFAULT_RETRIES + 1} a message by default`);
});
