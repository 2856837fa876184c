/** Refuses to serve in another jurisdiction than the first one: the worker would not find its stored data. */
import { AuditError } from "../shared/errors.ts";
import { jurisdictionOf, platformEnvOf, type Env, type PlatformEnv } from "./env.ts";
import type { Monitor } from "./monitor/monitor.ts";
import { TimeLimit } from "./time-limit.ts";

/** Stored for "no jurisdiction". */
const NONE = "none";
/** A request must not hang on this check. Our choice. */
const ASK_TIMEOUT_MS = 5_000;

/** The stored jurisdiction by environment. Only the result is shared, never a promise of another request. */
const stored = new WeakMap<PlatformEnv, string>();

/**
 * Compares the jurisdiction with the one that this worker was first used with. An object outside any jurisdiction stores it. Throws
 * `invalid_variable` if they differ. If that object does not answer, the worker continues and asks again next time.
 */
export async function checkJurisdiction(env: Env): Promise<void> {
  const platform = platformEnvOf(env);
  const wanted = jurisdictionOf(env) ?? NONE;
  const first = stored.get(platform) ?? (await askInTime(platform, wanted, env.clock.now));
  if (first === undefined) return;
  stored.set(platform, first);
  if (first !== wanted) throw changed(first, wanted);
}

/** Undefined if the object does not answer. */
async function askInTime(platform: PlatformEnv, wanted: string, now: () => number): Promise<string | undefined> {
  try {
    return await new TimeLimit(ASK_TIMEOUT_MS, now).within(ask(platform, wanted), undefined);
  } catch {
    return undefined;
  }
}

async function ask(platform: PlatformEnv, wanted: string): Promise<string> {
  const objects = platform.MONITOR as DurableObjectNamespace<Monitor>;
  const keeper = objects.getByName("jurisdiction");
  const known = await keeper.jurisdiction();
  if (known !== null) return known;
  // A worker of an earlier release stored its data before a jurisdiction could be chosen.
  const { rounds } = wanted === NONE ? { rounds: undefined } : await objects.getByName("monitor").status();
  return keeper.keepJurisdiction(rounds?.lastMs ? NONE : wanted);
}

function changed(first: string, wanted: string): AuditError {
  return new AuditError(
    "invalid_variable",
    `"AUDIT_JURISDICTION" is set to ${words(wanted)}, but this worker keeps its data in ${words(first)}; set it back and deploy again`,
  );
}

function words(jurisdiction: string): string {
  return jurisdiction === NONE ? "no jurisdiction" : `"${jurisdiction}"`;
}
