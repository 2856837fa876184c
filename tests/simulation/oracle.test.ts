/** The oracle can fail: every check has a mutant of the real source that it must notice. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readTree, sources } from "../architecture/tree.ts";
import { replacePattern } from "./host/pattern.ts";
import { MUTANTS } from "./mutants.ts";
import { CHECKS } from "./oracle.ts";
import { simulate } from "./process.ts";

/** `all` also takes the mutants that only dozens of runs show: about a minute. */
const WANTED = process.env["AUDIT_SIM_MUTANTS"] ?? "common";
const MUTANT_RUNS = WANTED === "common" ? 25 : 400;

test("there is a mutant for each check", () => {
  expect(new Set(MUTANTS.map(({ check }) => check))).toEqual(new Set(Object.keys(CHECKS)));
});

const modules = sources(readTree(fileURLToPath(new URL("../../", import.meta.url))));

test.each(MUTANTS)("mutant $name changes the source in one place", (mutant) => {
  const changed = modules
    .filter(([path]) => path.startsWith(`${mutant.folder}/`))
    .map(([path, text]) => ({ path, text, ...replacePattern(text, mutant) }))
    .filter(({ count }) => count > 0);
  expect(changed.map(({ path, count }) => ({ path, count }))).toEqual([{ path: expect.any(String), count: 1 }]);
  expect(changed[0]?.source).not.toBe(changed[0]?.text);
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
