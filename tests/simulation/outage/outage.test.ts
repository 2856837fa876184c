/**
 * Outages of every kind against the worker's real rules, each drawn from a seed; see ../README.md. A failure names its seed:
 * `AUDIT_SIM_SEED=<seed> node tests/simulation/outage/main.ts` repeats it alone.
 */
import { expect, test } from "vitest";
import { simulate } from "../process.ts";
import { OUTAGE_MUTANTS } from "./mutants.ts";
import { OUTAGE_CHECKS } from "./oracle.ts";

/** About ten seconds of CPU. */
const RUNS = Number(process.env["AUDIT_SIM_RUNS"] ?? 100);
const MAIN = "outage/main.ts";

test(`no promise about outages is broken in ${RUNS} schedules`, async () => {
  const { exitCode, stdout } = await simulate({ AUDIT_SIM_RUNS: String(RUNS) }, MAIN);
  expect(exitCode, stdout).toBe(0);
});

test("there is a mutant for each check", () => {
  const seen = new Set(OUTAGE_MUTANTS.map(({ check }) => check));
  expect(Object.keys(OUTAGE_CHECKS).filter((check) => !seen.has(check))).toEqual([]);
});

test("the oracle sees each rule that is broken on purpose", async () => {
  const { exitCode, stdout } = await simulate({ AUDIT_SIM_MUTANTS: "all", AUDIT_SIM_RUNS: "40" }, MAIN);
  expect(exitCode, stdout).toBe(0);
});
