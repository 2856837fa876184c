/** The oracle can fail: every check has a mutant of the real source that it must notice. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { MUTANTS } from "./mutants.ts";
import { CHECKS } from "./oracle.ts";
import { simulate } from "./process.ts";

/** `all` also takes the mutants that only dozens of runs show: about a minute. */
const WANTED = process.env["AUDIT_SIM_MUTANTS"] ?? "common";
const MUTANT_RUNS = WANTED === "common" ? 25 : 400;

test("there is a mutant for each check", () => {
  expect(new Set(MUTANTS.map(({ check }) => check))).toEqual(new Set(Object.keys(CHECKS)));
});

test.each(MUTANTS)("mutant $name fits its source in one place", async ({ file, from, to }) => {
  const source = await readFile(new URL(`../../${file}`, import.meta.url), "utf8");
  expect(source.split(from)).toHaveLength(2);
  expect(to).not.toBe(from);
});

test(
  "the oracle sees what is broken on purpose",
  async () => {
    const { exitCode, stdout } = await simulate({
      AUDIT_SIM_MUTANTS: WANTED,
      AUDIT_SIM_RUNS: String(MUTANT_RUNS),
      AUDIT_SIM_FROM: "1",
    });
    expect(exitCode, stdout).toBe(0);
    expect(stdout).not.toContain("not seen");
  },
  WANTED === "common" ? 600_000 : 2_400_000,
);
