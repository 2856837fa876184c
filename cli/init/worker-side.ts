/** The worker's side of `init`: the folder `audit/` with the files that are the team's own, and a section of AGENTS.md. Needs the package. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AuditError } from "../../shared/errors.ts";
import { type Jurisdiction, queueUrl } from "../deploy/region.ts";
import { builtFile, IS_PACKAGE, workerFolder } from "../run/installation.ts";
import { AGENTS_FILE, hasSection, withSection } from "./agents-section.ts";
import type { FileChange } from "./plan.ts";

/** Written by a deploy, or by wrangler. */
const IGNORED = ".audit-forwarder/\n.wrangler/\n.dev.vars*\n";

export interface WorkerSide {
  /** Where the files are, or will be. */
  readonly folder: string;
  /** The files that are missing, because one that is there is the team's; and AGENTS.md, if its section is not this version's. */
  readonly changes: readonly FileChange[];
}

interface Wishes {
  readonly jurisdiction?: Jurisdiction | undefined;
  /** Adds the section to AGENTS.md. One that is there is always brought up to date. */
  readonly agents?: boolean | undefined;
}

/**
 * Plans `audit/` for a repository; in a clone, whose root holds these files already, there is nothing to make. Throws `conflict` if
 * the files that are there are for another jurisdiction, or if the marks in AGENTS.md are broken.
 */
export async function planWorkerSide(directory: string, { jurisdiction, agents }: Wishes = {}): Promise<WorkerSide> {
  const folder = workerFolder(directory);
  if (!IS_PACKAGE) return { folder, changes: [] };
  await refuseMove(folder, jurisdiction);
  const wanted: readonly (readonly [path: string, text: string])[] = [
    ["wrangler.toml", inRegion(await readFile(builtFile("wrangler.toml"), "utf8"), jurisdiction)],
    ["audit-schemas.lock.json", "{}\n"],
    [".gitignore", IGNORED],
  ];
  const changes = await Promise.all(
    wanted.map(async ([path, after]): Promise<readonly FileChange[]> => {
      const text = await readFile(join(folder, path), "utf8").catch(() => undefined);
      return text === undefined ? [{ path, after, kind: "template" }] : [];
    }),
  );
  return { folder, changes: [...changes.flat(), ...(await agentsChange(folder, agents))] };
}

async function agentsChange(folder: string, isWanted = false): Promise<readonly FileChange[]> {
  const path = join("..", AGENTS_FILE);
  const before = await readFile(join(folder, path), "utf8").catch(() => undefined);
  if (!isWanted && !hasSection(before)) return [];
  const after = withSection(before, await readFile(builtFile("agents.md"), "utf8"));
  if (before === undefined) return [{ path, after, kind: "template" }];
  return before === after ? [] : [{ path, before, after, kind: "edit" }];
}

/** Returns the template with the jurisdiction and the matching QStash region in the variables of each environment. Pure. */
export function inRegion(toml: string, jurisdiction: Jurisdiction | undefined): string {
  if (jurisdiction === undefined) return toml;
  return toml
    .replaceAll(/^QSTASH_URL = .*$/gm, `QSTASH_URL = "${queueUrl(jurisdiction)}"`)
    .replaceAll(/^AUDIT_FLOW_CONTROL_KEY = .*$/gm, `$&\nAUDIT_JURISDICTION = "${jurisdiction}"`);
}

async function refuseMove(folder: string, jurisdiction: Jurisdiction | undefined): Promise<void> {
  const toml = await readFile(join(folder, "wrangler.toml"), "utf8").catch(() => undefined);
  if (toml === undefined || jurisdiction === undefined || toml.includes(`AUDIT_JURISDICTION = "${jurisdiction}"`))
    return;
  throw new AuditError(
    "conflict",
    `"${join(folder, "wrangler.toml")}" is there already, without the jurisdiction "${jurisdiction}"; a deployed worker cannot move, so edit the file only before its first deploy`,
  );
}
