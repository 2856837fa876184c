/** The monitor from outside. What a delivery asks of it is remembered in the isolate for a few seconds. */
import type { DeadLetterClass } from "../../shared/dead-letter.ts";
import type { Env } from "../env.ts";
import type { IncidentKind } from "./incidents.ts";
import type { Monitor } from "./monitor.ts";
import type { Pause } from "./pause.ts";

type MonitorEnv = Pick<Env, "MONITOR">;

/** How long an isolate trusts that delivery is not paused: a pause made elsewhere holds here that much later. Our choice. */
const UNPAUSED_CACHE_MS = 5_000;
/** An incident that was just reported is not reported again for so long. Our choice. */
const REPORT_CACHE_MS = 60_000;

interface Memory {
  unpausedAtMs: number;
  readonly reportedAtMs: Map<IncidentKind, number>;
}

const memories = new WeakMap<MonitorEnv, Memory>();

/** What this isolate remembers, kept by its environment, so that two isolates of one process (a simulation) share nothing. */
function memoryOf(env: MonitorEnv): Memory {
  const memory = memories.get(env) ?? { unpausedAtMs: 0, reportedAtMs: new Map() };
  memories.set(env, memory);
  return memory;
}

/** The one monitor of this worker. */
export function monitor(env: MonitorEnv) {
  return (env.MONITOR as DurableObjectNamespace<Monitor>).getByName("monitor");
}

/**
 * The pause, if delivery is paused; where the monitor does not answer, delivery goes on and WorkOS decides. A pause is never
 * trusted from memory: QStash holds the messages back, so one that comes may well follow a resume.
 */
export async function currentPause(env: MonitorEnv, nowMs: number): Promise<Pause | null> {
  if (nowMs - memoryOf(env).unpausedAtMs < UNPAUSED_CACHE_MS) return null;
  try {
    return remember(env, await monitor(env).pauseState(), nowMs);
  } catch {
    return null;
  }
}

/** Pauses delivery at QStash and here; repeats change nothing. */
export async function pauseDelivery(env: MonitorEnv, reason: string, by: Pause["by"], nowMs: number): Promise<Pause> {
  const pause = await monitor(env).pause(reason, by);
  remember(env, pause, nowMs);
  return pause;
}

/** Resumes delivery; false where QStash does not confirm it. */
export async function resumeDelivery(env: MonitorEnv, nowMs: number): Promise<boolean> {
  const resumed = await monitor(env).resume();
  if (resumed) remember(env, null, nowMs);
  return resumed;
}

/** Opens an incident: one alert and one log line, however often it is reported. Never throws. */
export async function reportIncident(
  env: MonitorEnv,
  kind: IncidentKind,
  detail: string,
  nowMs: number,
): Promise<void> {
  const { reportedAtMs } = memoryOf(env);
  if (nowMs - (reportedAtMs.get(kind) ?? 0) < REPORT_CACHE_MS) return;
  reportedAtMs.set(kind, nowMs);
  try {
    await monitor(env).report(kind, detail);
  } catch {
    reportedAtMs.delete(kind);
  }
}

/** Opens the incident of a class of dead letters; it ends when none of the class is open any more. Never throws. */
export async function reportDeadLetter(env: MonitorEnv, name: DeadLetterClass, nowMs: number): Promise<void> {
  await reportIncident(env, `dead_letters_${name}`, `dead letters of class "${name}" wait for an operator`, nowMs);
}

/** Ends an incident: one message that it is over. Never throws. */
export async function resolveIncident(env: MonitorEnv, kind: IncidentKind): Promise<void> {
  memoryOf(env).reportedAtMs.delete(kind);
  try {
    await monitor(env).resolve(kind);
  } catch {
    // The next sweep says it again.
  }
}

function remember(env: MonitorEnv, pause: Pause | null, atMs: number): Pause | null {
  memoryOf(env).unpausedAtMs = pause ? 0 : atMs;
  return pause;
}
