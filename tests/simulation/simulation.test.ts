/**
 * Thousands of histories of the whole system under a virtual clock, each drawn from a seed; see README.md. A failure names its seed:
 * `AUDIT_SIM_SEED=<seed> npx vitest run --project node tests/simulation/simulation.test.ts` repeats it alone.
 */
import { expect, test } from "vitest";
import { simulate } from "./process.ts";

/** About 20 seconds of CPU. */
const RUNS = Number(process.env["AUDIT_SIM_RUNS"] ?? 50);
const SLOWEST_RUN_MS = 6_000;

test(
  `no promise is broken in ${process.env["AUDIT_SIM_SEED"] ? "one run" : `${RUNS} runs`}`,
  async () => {
    const { exitCode, stdout } = await simulate({ AUDIT_SIM_RUNS: String(RUNS) });
    expect(exitCode, stdout).toBe(0);
  },
  60_000 + RUNS * SLOWEST_RUN_MS,
);

test("the same seed makes the same history", async () => {
  const [first, second] = await Promise.all([1, 2].map(() => simulate({ AUDIT_SIM_SEED: "11" })));
  expect(first?.stdout).toMatch(/^[0-9a-f]{16}$/m);
  expect(second?.stdout).toBe(first?.stdout);
});
