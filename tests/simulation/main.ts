/** Runs seeds: `AUDIT_SIM_SEED=n` one, otherwise `AUDIT_SIM_RUNS` of them from 1 on. Prints each seed that fails, with its checks. */
import { loadSystem } from "./host/system.ts";
import { judge } from "./oracle.ts";
import { fingerprint, run } from "./run.ts";

const system = await loadSystem();
const only = process.env["AUDIT_SIM_SEED"];
const from = Number(only ?? process.env["AUDIT_SIM_FROM"] ?? 1);
const count = only === undefined ? Number(process.env["AUDIT_SIM_RUNS"] ?? 100) : 1;
const failed = new Map<string, number>();
let failures = 0;
for (let seed = from; seed < from + count; seed++) {
  const finish = await run(seed, system);
  const violations = judge(finish);
  for (const { check, detail } of violations) {
    failed.set(check, (failed.get(check) ?? 0) + 1);
    console.log(`seed ${seed}: ${check}: ${detail}`);
  }
  if (only) console.log(fingerprint(finish));
  if (violations.length > 0) failures += 1;
  finish.world.close();
}
console.log(JSON.stringify({ runs: count, failures, checks: Object.fromEntries(failed) }));
process.exitCode = failures > 0 ? 1 : 0;
