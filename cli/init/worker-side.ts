/** The worker's side of `init`: the folder `audit/` with the files that are the team's own. Needs the package. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { builtFile, IS_PACKAGE, workerFolder } from "../run/installation.ts";
import type { Change } from "./plan.ts";

/** Made by a deploy, or by wrangler. */
const IGNORED = ".audit-forwarder/\n.wrangler/\n.dev.vars*\n";

export interface WorkerSide {
  /** Where the files are, or will be. */
  readonly folder: string;
  /** The files that are missing. One that is there is the team's, and stays as it is. */
  readonly changes: readonly Change[];
}

/** Plans `audit/` for a repository; in a clone, whose root holds these files already, there is nothing to make. */
export async function planWorkerSide(directory: string): Promise<WorkerSide> {
  const folder = workerFolder(directory);
  if (!IS_PACKAGE) return { folder, changes: [] };
  const wanted: readonly (readonly [path: string, text: string])[] = [
    ["wrangler.toml", await readFile(builtFile("wrangler.toml"), "utf8")],
    ["audit-schemas.lock.json", "{}\n"],
    [".gitignore", IGNORED],
  ];
  const changes = await Promise.all(
    wanted.map(async ([path, after]): Promise<readonly Change[]> => {
      const text = await readFile(join(folder, path), "utf8").catch(() => undefined);
      return text === undefined ? [{ path, after, kind: "template" }] : [];
    }),
  );
  return { folder, changes: changes.flat() };
}
