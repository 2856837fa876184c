/** The client of the monitor: turns of deliveries, pauses and incidents. An isolate keeps some reports until its next call. */
import type { Verdict } from "../../shared/outcome.ts";
import type { DeadLetterClass } from "../../shared/dead-letter.ts";
import type { Env } from "../env.ts";
import { HeldTokens } from "./held-tokens.ts";
import type { IncidentKind } from "./incidents.ts";
import type { Monitor } from "./monitor.ts";
import type { Pause, Turn } from "./pause.ts";

type MonitorEnv = Pick<Env, "MONITOR">;

/** Time within which an isolate does not report the same incident again. Our choice. */
const REPORT_CACHE_MS = 60_000;
/** Longest time that events wait for their turn inside a delivery: together with sending, it stays below QStash's timeout. Our choice. */
export const TURN_MAX_MS = 240_000;

interface Memory {
  /** Events delivered since the last report, and when the newest was. */
  delivered: number;
  deliveredAtMs: number;
  readonly held: HeldTokens;
  readonly reportedAtMs: Map<IncidentKind, number>;
}

const memories = new WeakMap<MonitorEnv, Memory>();

/** What this isolate remembers, per environment, so that two isolates of one process (a simulation) share nothing. */
function memoryOf(env: MonitorEnv): Memory {
  const memory = memories.get(env) ?? {
    delivered: 0,
    deliveredAtMs: 0,
    held: new HeldTokens(),
    reportedAtMs: new Map(),
  };
  memories.set(env, memory);
  return memory;
}

/** The one monitor of this worker. */
export function monitor(env: MonitorEnv) {
  return (env.MONITOR as DurableObjectNamespace<Monitor>).getByName("monitor");
}

/**
 * Asks for the turn of a delivery of `count` events, whose records belong to these `shards` of the ledger. Tokens that this isolate
 * holds need no call. If the monitor does not answer, delivery continues and WorkOS decides; the results are reported in case the
 * monitor answers again.
 */
export async function takeTurn(
  env: MonitorEnv,
  count: number,
  shards: readonly number[],
  nowMs: number,
): Promise<Turn> {
  const memory = memoryOf(env);
  const answeredAgoMs = memory.delivered > 0 ? nowMs - memory.deliveredAtMs : null;
  try {
    return await memory.held.turn(count, shards, nowMs, async (wanted, unused) => {
      const turn = await monitor(env).turn(count, TURN_MAX_MS, answeredAgoMs, shards, wanted, unused);
      memory.delivered = 0;
      return turn;
    });
  } catch {
    return { pause: null, waitMs: 0, isWatched: true };
  }
}

/**
 * Reports what the answers of WorkOS said, in order. Successful deliveries alone wait for the next turn, unless the monitor is
 * watching. Never throws.
 */
export async function reportVerdicts(
  env: MonitorEnv,
  verdicts: readonly Verdict[],
  isWatched: boolean,
  nowMs: number,
): Promise<void> {
  const memory = memoryOf(env);
  if (verdicts.length === 0) return;
  if (!isWatched && !verdicts.includes("failed")) {
    memory.delivered += verdicts.length;
    memory.deliveredAtMs = nowMs;
    return;
  }
  const { delivered } = memory;
  memory.delivered = 0;
  memory.held.drop();
  try {
    await monitor(env).ended(verdicts, delivered);
  } catch {
    // The next failures are reported again, and the queue retries in the meantime.
  }
}

/** Pauses delivery at QStash and here; safe to repeat. */
export async function pauseDelivery(
  env: MonitorEnv,
  reason: string,
  by: Pause["by"],
  operator?: string,
): Promise<Pause> {
  try {
    return await monitor(env).pause(reason, by, operator);
  } finally {
    memoryOf(env).held.drop();
  }
}

/** Resumes delivery; false if QStash does not confirm it. */
export async function resumeDelivery(env: MonitorEnv): Promise<boolean> {
  return await monitor(env).resume();
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

/** Opens the incident of a class of dead letters; it ends when none of that class is open. Never throws. */
export async function reportDeadLetter(env: MonitorEnv, name: DeadLetterClass, nowMs: number): Promise<void> {
  await reportIncident(env, `dead_letters_${name}`, `dead letters of class "${name}" wait for an operator`, nowMs);
}

/** Ends an incident, with one message that it is over. Never throws. */
export async function resolveIncident(env: MonitorEnv, kind: IncidentKind): Promise<void> {
  memoryOf(env).reportedAtMs.delete(kind);
  try {
    await monitor(env).resolve(kind);
  } catch {
    // The next sweep reports it again.
  }
}
