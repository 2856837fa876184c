/**
 * Runs schedules of outages: `AUDIT_SIM_SEED` one, otherwise `AUDIT_SIM_RUNS` of them from `AUDIT_SIM_FROM` (1) on, and prints those
 * that fail. `AUDIT_SIM_MUTANTS=all` (or names) breaks the source on purpose instead, and wants each mutant seen.
 */
import { loadCore } from "./core.ts";
import { OUTAGE_MUTANTS, type OutageMutant } from "./mutants.ts";
import { planOf } from "./plan.ts";
import { runOutage } from "./run.ts";

const { AUDIT_SIM_SEED: only, AUDIT_SIM_RUNS = "100", AUDIT_SIM_FROM = "1", AUDIT_SIM_MUTANTS = "" } = process.env;
const from = Number(only ?? AUDIT_SIM_FROM);
const count = only === undefined ? Number(AUDIT_SIM_RUNS) : 1;
const seeds = Array.from({ length: count }, (_, index) => from + index);
const startedMs = performance.now();
/** Only the plan of a seed is drawn until one fits. */
const SEEDS_LOOKED_AT = 100_000;

process.exitCode = (await (AUDIT_SIM_MUTANTS ? seeAll(AUDIT_SIM_MUTANTS.split(",")) : holdAll())) ? 0 : 1;
console.error(`${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);

/** True where no seed breaks a promise. */
async function holdAll(): Promise<boolean> {
  const core = await loadCore();
  let failures = 0;
  for (const seed of seeds) {
    const { shape, violations } = await runOutage(seed, core);
    for (const { check, detail } of violations) console.log(`seed ${seed} (${shape}): ${check}: ${detail}`);
    if (violations.length > 0) failures += 1;
  }
  console.log(`${count - failures} of ${count} outages hold`);
  return failures === 0;
}

/** True where the oracle sees each mutant. */
async function seeAll(names: readonly string[]): Promise<boolean> {
  let isAllSeen = true;
  for (const mutant of OUTAGE_MUTANTS) {
    if (!names.includes("all") && !names.includes(mutant.name)) continue;
    const seen = await findBy(mutant);
    console.log(`${mutant.name}: ${seen === undefined ? "not seen" : `${mutant.check}, seed ${seen}`}`);
    isAllSeen &&= seen !== undefined;
  }
  return isAllSeen;
}

/** The first schedule that shows it, of so many that can. */
async function findBy(mutant: OutageMutant): Promise<number | undefined> {
  const core = await loadCore(mutant);
  let left = count;
  for (let seed = from; left > 0 && seed < from + SEEDS_LOOKED_AT; seed++) {
    if (!mutant.fits(planOf(seed))) continue;
    left -= 1;
    const { violations } = await runOutage(seed, core);
    if (violations.some(({ check }) => check === mutant.check)) return seed;
  }
  return undefined;
}
