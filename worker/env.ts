/** The worker's environment: Cloudflare's bindings and variables, and the clock. */
import { systemClock, type Clock } from "./clock.ts";

/** What Cloudflare passes. Each Durable Object's client knows the class behind its binding: importing a class here would create a cycle. */
export interface PlatformEnv {
  readonly LEDGER: DurableObjectNamespace;
  readonly OUTBOX: DurableObjectNamespace;
  readonly ARCHIVE: DurableObjectNamespace;
  readonly MONITOR: DurableObjectNamespace;
  /** The console's files; absent if the worker runs without them. */
  readonly ASSETS?: Fetcher;
  readonly EVIDENCE_LOG: DurableObjectNamespace;
  /** Optional directory of organizations and names. */
  readonly DIRECTORY?: KVNamespace;
  /** Optional bucket for the evidence; without it, none is kept. */
  readonly EVIDENCE?: R2Bucket;
  readonly [variable: string]: unknown;
}

/** What the worker passes on, made by `environmentOf`. */
export interface Env extends PlatformEnv {
  readonly clock: Clock;
}

const NAMESPACES = ["LEDGER", "OUTBOX", "ARCHIVE", "MONITOR", "EVIDENCE_LOG"] as const;

const environments = new WeakMap<PlatformEnv, Env>();
const platformEnvs = new WeakMap<Env, PlatformEnv>();

/**
 * Makes the worker's environment, with every Durable Object in the jurisdiction that `AUDIT_JURISDICTION` names. The same name in
 * another jurisdiction is another object with other data.
 * https://developers.cloudflare.com/durable-objects/reference/data-location/
 */
export function environmentOf(platformEnv: PlatformEnv): Env {
  const known = environments.get(platformEnv);
  if (known) return known;
  const made: Env = { ...platformEnv, ...namespacesIn(jurisdictionOf(platformEnv), platformEnv), clock: systemClock };
  environments.set(platformEnv, made);
  platformEnvs.set(made, platformEnv);
  return made;
}

/** The environment that `environmentOf` was given; its objects are in no jurisdiction. */
export function platformEnvOf(env: Env): PlatformEnv {
  return platformEnvs.get(env) ?? env;
}

/** The jurisdiction of the data; undefined if none is set. */
export function jurisdictionOf(env: PlatformEnv): "eu" | "fedramp" | undefined {
  const jurisdiction = env["AUDIT_JURISDICTION"];
  return jurisdiction === "eu" || jurisdiction === "fedramp" ? jurisdiction : undefined;
}

function namespacesIn(jurisdiction: "eu" | "fedramp" | undefined, env: PlatformEnv): Partial<PlatformEnv> {
  if (jurisdiction === undefined) return {};
  return Object.fromEntries(NAMESPACES.map((name) => [name, env[name].jurisdiction(jurisdiction)]));
}
