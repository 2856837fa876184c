/** Counts the events that an isolate delivered, retried or saw refused, and their policies, in memory. Reports the counts to the monitor at intervals. */
import type { Env } from "../env.ts";
import { ageBucket } from "./ages.ts";
import { monitor } from "./client.ts";
import { mergeNumbers, MINUTE_S, slotOf, type Slot } from "./history.ts";
import type { Numbers } from "../numbers.ts";

type MonitorEnv = Pick<Env, "MONITOR" | "clock">;

/**
 * Time for which counts wait: one call to the monitor covers all messages of that time. An invocation may run for 30 s after its
 * response. https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil
 */
const TELL_AFTER_MS = 20_000;
/** A report this late ended with its invocation. Our choice. */
const LATE_MS = 20_000;

interface Memory {
  slots: Slot[];
  /** Versions of the policies whose records were counted. */
  policies: Set<string>;
  /** When the next tell is due; 0 if none is under way. */
  dueMs: number;
}

const memories = new WeakMap<MonitorEnv, Memory>();

function memoryOf(env: MonitorEnv): Memory {
  const memory = memories.get(env) ?? { slots: [], policies: new Set(), dueMs: 0 };
  memories.set(env, memory);
  return memory;
}

/** An attempt as the history counts it. */
export type CountedAttempt =
  { readonly kind: "delivered"; readonly ageMs: number } | { readonly kind: "retried" } | { readonly kind: "refused" };

/** Counts one attempt. */
export function countAttempt(env: MonitorEnv, attempt: CountedAttempt, nowMs: number): void {
  const memory = memoryOf(env);
  const atS = slotOf(nowMs / 1_000, MINUTE_S);
  const counted: Numbers = {
    [attempt.kind]: 1,
    ...(attempt.kind === "delivered" ? { [`age_${ageBucket(attempt.ageMs)}`]: 1 } : {}),
  };
  const last = memory.slots.at(-1);
  if (last?.atS !== atS) memory.slots.push({ atS, numbers: counted });
  else memory.slots[memory.slots.length - 1] = { atS, numbers: mergeNumbers([last.numbers, counted]) };
}

/** Notes the policy of a record. What the worker or `doctor` makes has no version. */
export function notePolicy(env: MonitorEnv, version: string): void {
  if (/^\d/.test(version)) memoryOf(env).policies.add(version);
}

/** Tells the monitor after a while, unless another invocation will. Never throws; made for `waitUntil`. */
export async function tellSoon(env: MonitorEnv, nowMs: number): Promise<void> {
  const memory = memoryOf(env);
  if (memory.slots.length === 0 || nowMs < memory.dueMs + LATE_MS) return;
  memory.dueMs = nowMs + TELL_AFTER_MS;
  await env.clock.wait(TELL_AFTER_MS);
  await tellHistory(env);
}

/** Sends this isolate's counts to the monitor. Never throws. */
export async function tellHistory(env: MonitorEnv): Promise<void> {
  const memory = memoryOf(env);
  const { slots, policies } = memory;
  memory.slots = [];
  memory.policies = new Set();
  memory.dueMs = 0;
  if (slots.length === 0) return;
  try {
    await monitor(env).counted(slots, [...policies]);
  } catch {
    memory.slots = [...slots, ...memory.slots];
  }
}
