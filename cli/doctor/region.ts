/** Checks that the Durable Objects, the evidence's bucket and QStash are in the chosen region. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { workerUrl } from "../api/client.ts";
import { deployedJurisdiction, moveFault } from "../deploy/deployed-region.ts";
import { queueRegionFault } from "../deploy/region.ts";
import { workerFolder } from "../run/installation.ts";
import { failed, ok, skipped } from "./check.ts";
import { type Setting, variable } from "./setting.ts";

/** Compares the chosen jurisdiction with the deployed worker's and with QStash's region. */
export async function region(setting: Setting) {
  const isDeployed = variable(setting, "AUDIT_WORKER_URL") !== undefined;
  const deployed = isDeployed ? await deployedJurisdiction(workerUrl(setting.io)) : undefined;
  const chosen = variable(setting, "AUDIT_JURISDICTION") ?? deployed ?? undefined;
  const move = moveFault(deployed, chosen);
  if (move !== undefined) return failed(move, "set it as the worker has it; a deployed worker cannot move");
  const fault = queueRegionFault(chosen, variable(setting, "QSTASH_URL"));
  if (fault !== undefined) return failed(fault, "use the token and the keys of that region, too");
  if (chosen === undefined) return skipped("no jurisdiction is chosen", "see docs/security.md before the first deploy");
  const bucket = await bucketFault(chosen);
  if (bucket !== undefined) return failed(bucket, `add jurisdiction = "${chosen}" to it, before its first deploy`);
  return ok(`data is kept in "${chosen}"`);
}

/** A bucket binding of wrangler.toml that names another jurisdiction, or none. */
async function bucketFault(chosen: string): Promise<string | undefined> {
  const toml = await readFile(join(workerFolder(), "wrangler.toml"), "utf8").catch(() => "");
  const buckets = toml.split(/^(?=\[)/m).filter((part) => /^\[\[.*r2_buckets\]\]/.test(part));
  const wrong = buckets.find((part) => /^jurisdiction = "(.*)"$/m.exec(part)?.[1] !== chosen);
  return wrong === undefined
    ? undefined
    : `a bucket in wrangler.toml is not in "${chosen}": ${wrong.split("\n", 1)[0]}`;
}
