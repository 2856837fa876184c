/**
 * Runs seeds: `AUDIT_SIM_SEED` one, otherwise `AUDIT_SIM_RUNS` of them from `AUDIT_SIM_FROM` (1) on, and prints those that fail.
 * `AUDIT_SIM_MUTANTS` (names, `common` or `all`) breaks the source on purpose instead, and wants each of them seen.
 */
import { loadSystem, type System } from "./host/system.ts";
import { MUTANTS, type Mutant } from "./mutants.ts";
import type { Violation } from "./oracle/evidence.ts";
import { judge } from "./oracle.ts";
import { fingerprint, run } from "./run.ts";

const { AUDIT_SIM_SEED: only, AUDIT_SIM_RUNS = "100", AUDIT_SIM_FROM = "1", AUDIT_SIM_MUTANTS = "" } = process.env;
const from = Number(only ?? AUDIT_SIM_FROM);
const count = only === undefined ? Number(AUDIT_SIM_RUNS) : 1;
const seeds = Array.from({ length: count }, (_, index) => from + index);

process.exitCode = (await (AUDIT_SIM_MUTANTS ? seeAll(AUDIT_SIM_MUTANTS.split(",")) : holdAll())) ? 0 : 1;

/** True where no seed breaks a promise. */
async function holdAll(): Promise<boolean> {
  const system = await loadSystem();
  let failures = 0;
  for (const seed of seeds) {
    const violations = await runOne(seed, system);
    for (const { check, detail } of violations) console.log(`seed ${seed}: ${check}: ${detail}`);
    if (violations.length > 0) failures += 1;
  }
  console.log(`${count - failures} of ${count} runs hold`);
  return failures === 0;
}

/** True where the oracle sees each mutant. */
async function seeAll(names: readonly string[]): Promise<boolean> {
  let isAllSeen = true;
  for (const mutant of MUTANTS) {
    const isAsked = names.includes("all") || (names.includes("common") && !mutant.rare) || names.includes(mutant.name);
    if (!isAsked) continue;
    const seed = await findBy(mutant);
    console.log(`${mutant.name}: ${seed === undefined ? "not seen" : `${mutant.check}, seed ${seed}`}`);
    isAllSeen &&= seed !== undefined;
  }
  return isAllSeen;
}

async function findBy(mutant: Mutant): Promise<number | undefined> {
  const system = await loadSystem(mutant);
  for (const seed of seeds) {
    const violations = await runOne(seed, system);
    if (violations.some(({ check }) => check === mutant.check)) return seed;
  }
  return undefined;
}

async function runOne(seed: number, system: System): Promise<readonly Violation[]> {
  const finish = await run(seed, system);
  const violations = judge(finish);
  if (only) console.log(fingerprint(finish));
  finish.world.close();
  return violations;
}
