/**
 * Where the Durable Objects keep their data. The same name in another jurisdiction is another object with other data.
 * https://developers.cloudflare.com/durable-objects/reference/data-location/
 */
import type { Env } from "./env.ts";

const NAMESPACES = ["LEDGER", "OUTBOX", "ARCHIVE", "MONITOR", "EVIDENCE_LOG"] as const;

const regional = new WeakMap<Env, Env>();
const platformEnvs = new WeakMap<Env, Env>();

/** Returns the environment with every Durable Object in the jurisdiction that `AUDIT_JURISDICTION` names; without one, `env` itself. */
export function inJurisdiction(env: Env): Env {
  const jurisdiction = env["AUDIT_JURISDICTION"];
  if (jurisdiction !== "eu" && jurisdiction !== "fedramp") return env;
  const known = regional.get(env);
  if (known) return known;
  const namespaces = NAMESPACES.map((name) => [name, env[name].jurisdiction(jurisdiction)]);
  const made: Env = { ...env, ...Object.fromEntries(namespaces) };
  regional.set(env, made);
  platformEnvs.set(made, env);
  return made;
}

/** The original environment passed to `inJurisdiction`; its objects are in no jurisdiction. */
export function platformEnvOf(env: Env): Env {
  return platformEnvs.get(env) ?? env;
}
