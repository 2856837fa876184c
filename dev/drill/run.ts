/** One drill from start to verdict. */
import { setTimeout as sleep } from "node:timers/promises";
import { WARM_UP_PATH } from "../demo/calls.ts";
import { stopOnSignal } from "../signal-handlers.ts";
import { cause } from "./faults.ts";
import { historyOf } from "./history.ts";
import { type LoadCounts, runLoad } from "./load.ts";
import { waitForVerdict } from "./outcome.ts";
import { type PlannedFault, planFaults, seededRandom } from "./plan.ts";
import { type DrillStack, prepareStack } from "./stack.ts";
import type { Verdict } from "./verdict.ts";

export interface DrillOptions {
  readonly lengthMs: number;
  readonly ratePerSecond: number;
  readonly seed: number;
  readonly stateDir: string;
}

interface CausedFault extends PlannedFault {
  readonly startedMs: number;
  readonly endedMs: number;
}

export interface DrillReport {
  readonly seed: number;
  readonly load: LoadCounts;
  readonly faults: readonly CausedFault[];
  /** Publishes and spills that were refused or cut off: if there are none, the faults had no effect. */
  readonly refused: number;
  readonly verdict: Verdict;
  /** For each record that ended wrongly, at most ten: what affected it, in order. */
  readonly histories: Readonly<Record<string, readonly string[]>>;
}

/** Receives the progress of the drill. */
export interface DrillWatcher {
  part(name: string): void;
  load(sent: number): void;
  fault(fault: PlannedFault): void;
  look(verdict: Verdict): void;
}

/** Longest wait for the records to end after the load. Records held by the breaker's longest pause need ten minutes. */
const PATIENCE_MS = 900_000;
const HISTORIES_MAX = 10;

/** Runs a drill; throws if a part does not start. Leaves no process behind. */
export async function runDrill(options: DrillOptions, watcher: DrillWatcher): Promise<DrillReport> {
  const stack = await prepareStack(options.stateDir, Date.now);
  const release = stopOnSignal(stack);
  try {
    for (const name of ["workos", "queue", "worker", "gateway"] as const) {
      watcher.part(name);
      await stack.parts[name].start();
    }
    await (await fetch(stack.gatewayUrl + WARM_UP_PATH)).arrayBuffer();
    const [load, faults] = await Promise.all([
      runLoad(stack.gatewayUrl, options.ratePerSecond, options.lengthMs, (sent) => watcher.load(sent)),
      causeAll(planFaults(options.lengthMs, seededRandom(options.seed)), stack, watcher),
    ]);
    const verdict = await waitForVerdict(stack, PATIENCE_MS, (seen) => watcher.look(seen));
    const refused = stack.queueWitness.refused() + stack.workerWitness.refused();
    return { seed: options.seed, load, faults, refused, verdict, histories: await histories(verdict, stack, faults) };
  } finally {
    await release();
    await stack.stop();
  }
}

async function causeAll(
  plan: readonly PlannedFault[],
  stack: DrillStack,
  watcher: DrillWatcher,
): Promise<readonly CausedFault[]> {
  const beganMs = performance.now();
  const caused: CausedFault[] = [];
  for (const fault of plan) {
    // A part that starts slowly delays the faults after it: two faults at once would hide which of them caused the damage.
    await sleep(Math.max(0, fault.atMs - (performance.now() - beganMs)));
    watcher.fault(fault);
    const startedMs = Date.now();
    await cause(fault, stack);
    caused.push({ ...fault, startedMs, endedMs: Date.now() });
  }
  return caused;
}

async function histories(verdict: Verdict, stack: DrillStack, faults: readonly CausedFault[]) {
  const wrong = [...verdict.missing, ...verdict.twice, ...verdict.both, ...verdict.orphans].slice(0, HISTORIES_MAX);
  const found = await Promise.all(
    wrong.map(async (id) => [id, await historyOf(id.split(":", 1)[0] ?? id, stack, faults)] as const),
  );
  return Object.fromEntries(found);
}
