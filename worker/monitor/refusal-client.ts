/** Refused calls as one isolate sees them: each is counted, the first few are reported at once, and a flood in batches. */
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { monitor } from "./client.ts";
import type { RefusalReport } from "./refusals.ts";

type MonitorEnv = Pick<Env, "MONITOR">;

/** Reports that an isolate makes at once per minute; after those, it waits for a full batch. Our choice. */
const PROMPT_REPORTS = 10;
const LOT = 10;
const MINUTE_MS = 60_000;

/** One refused call. */
interface CountedRefusal {
  readonly route: string;
  readonly reason: string;
  readonly looksLikeQstash: boolean;
  readonly isWrongToken: boolean;
}

interface Memory {
  pending: CountedRefusal[];
  /** When the newest reports were made. */
  reportedMs: number[];
  readonly loggedMs: Map<string, number>;
}

const memories = new WeakMap<MonitorEnv, Memory>();

function memoryOf(env: MonitorEnv): Memory {
  const memory = memories.get(env) ?? { pending: [], reportedMs: [], loggedMs: new Map() };
  memories.set(env, memory);
  return memory;
}

/** Counts a refused call, and logs at most one line a minute for each route and reason. Never throws. */
export async function noteRefusal(env: MonitorEnv, call: CountedRefusal, nowMs: number): Promise<void> {
  const memory = memoryOf(env);
  logOnce(memory, call, nowMs);
  memory.pending.push(call);
  memory.reportedMs = memory.reportedMs.filter((atMs) => nowMs - atMs < MINUTE_MS);
  if (memory.reportedMs.length >= PROMPT_REPORTS && memory.pending.length < LOT) return;
  memory.reportedMs.push(nowMs);
  await reportRefusals(env);
}

/** Reports the remaining counts. Never throws. */
export async function reportRefusals(env: MonitorEnv): Promise<void> {
  const memory = memoryOf(env);
  const calls = memory.pending;
  if (calls.length === 0) return;
  memory.pending = [];
  try {
    await monitor(env).refused(reportOf(calls));
  } catch {
    memory.pending = [...calls, ...memory.pending];
  }
}

function reportOf(calls: readonly CountedRefusal[]): RefusalReport {
  const counts: Record<string, number> = {};
  for (const { route, reason } of calls) {
    const name = `${route} ${reason}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return {
    counts,
    deliveries: calls.flatMap(({ looksLikeQstash, reason }) => (looksLikeQstash ? reason : [])),
    wrongTokens: calls.filter(({ isWrongToken }) => isWrongToken).length,
  };
}

function logOnce({ loggedMs }: Memory, { route, reason }: CountedRefusal, nowMs: number): void {
  const name = `${route} ${reason}`;
  if (nowMs - (loggedMs.get(name) ?? 0) < MINUTE_MS) return;
  loggedMs.set(name, nowMs);
  log("audit.refused", "WARN", { "http.route": route, "error.type": reason });
}
