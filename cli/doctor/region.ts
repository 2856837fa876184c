/** Does everything lie in the region that was chosen: the Durable Objects, the evidence's bucket, and QStash? */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { workerUrl } from "../api/client.ts";
import { queueRegionFault } from "../deploy/region.ts";
import { fetchJson } from "../http/json-answer.ts";
import { workerFolder } from "../run/installation.ts";
import { failed, ok, skipped } from "./check.ts";
import { type Setting, variable } from "./setting.ts";

const TIMEOUT_MS = 10_000;
const Health = z.looseObject({ jurisdiction: z.string().nullable().default(null) });

/** Compares the chosen jurisdiction with the deployed worker's and with QStash's region. */
export async function region(setting: Setting) {
  const deployed = await deployedJurisdiction(setting);
  const chosen = variable(setting, "AUDIT_JURISDICTION") ?? deployed ?? undefined;
  if (deployed !== undefined && (chosen ?? null) !== deployed)
    return failed(
      `the worker keeps its data in ${words(deployed)}, but "AUDIT_JURISDICTION" is ${words(chosen)} here`,
      "set it as the worker has it; a deployed worker cannot move",
    );
  const fault = queueRegionFault(chosen, variable(setting, "QSTASH_URL"));
  if (fault !== undefined) return failed(fault, "use the token and the keys of that region, too");
  if (chosen === undefined) return skipped("no jurisdiction is chosen", "see docs/security.md before the first deploy");
  const bucket = await bucketFault(chosen);
  if (bucket !== undefined) return failed(bucket, `add jurisdiction = "${chosen}" to it, before its first deploy`);
  return ok(`data is kept in "${chosen}"`);
}

/** Undefined where no worker answers; null where it has no jurisdiction. */
async function deployedJurisdiction(setting: Setting): Promise<string | null | undefined> {
  if (variable(setting, "AUDIT_WORKER_URL") === undefined) return undefined;
  const answer = await fetchJson(`${workerUrl(setting.io)}/health`, {}, TIMEOUT_MS).catch(() => undefined);
  const parsed = Health.safeParse(answer?.status === 200 ? answer.json : undefined);
  return parsed.success ? parsed.data.jurisdiction : undefined;
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

function words(jurisdiction: string | null | undefined): string {
  return jurisdiction ? `"${jurisdiction}"` : "no jurisdiction";
}
