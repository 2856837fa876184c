/** Runs one schedule to its end and judges it. */
import type { Violation } from "../oracle/evidence.ts";
import type { Core } from "./core.ts";
import { ARRIVES_WITHIN_MS, OUTAGE_CHECKS } from "./oracle.ts";
import { OutageWorld } from "./world.ts";

/** The last retry of a message comes within a day. */
const LAST_RETRY_MS = 26 * 3_600_000;

interface OutageRun {
  readonly shape: string;
  readonly violations: readonly Violation[];
}

export async function runOutage(seed: number, core: Core): Promise<OutageRun> {
  const world = new OutageWorld(seed, core);
  world.begin();
  // A person can pause at a probe, and then the recovery is later.
  for (let recoveredMs = 0; recoveredMs < world.recoveredMs;) {
    recoveredMs = world.recoveredMs;
    await world.time.run(recoveredMs + ARRIVES_WITHIN_MS);
  }
  const storedInTime = new Set(world.workos.events.map(({ id }) => id));
  world.stopCron();
  // Events that fail for ever would keep the breaker busy for a day, and nothing is asked of them.
  if (world.published.every(({ poison }) => poison !== "failing"))
    await world.time.run(world.time.now() + LAST_RETRY_MS);
  const finish = { world, storedInTime };
  const violations = Object.entries(OUTAGE_CHECKS).flatMap(([check, find]) =>
    find(finish).map((detail) => ({ check, detail })),
  );
  world.close();
  return { shape: world.plan.shape, violations };
}
