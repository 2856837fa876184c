/** Where the program runs from: a clone of the repository, or the package that `npm pack` makes. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The version and the commit that a build came from. */
interface Build {
  readonly version: string;
  /** Short hash of the commit; "unknown" if it was built outside of Git. */
  readonly commit: string;
}

/** Set by the package's build, and absent in a clone. */
declare const AUDIT_PACKAGE: Build | undefined;
const packaged = typeof AUDIT_PACKAGE === "undefined" ? undefined : AUDIT_PACKAGE;

/** The root folder of the clone or the package. The built program has the same depth as this file. */
export const ROOT = resolve(fileURLToPath(new URL("../../", import.meta.url)));

/** True in the package, which contains built files instead of the sources. */
export const IS_PACKAGE = packaged !== undefined;

/** A file that the package's build wrote, such as `worker/index.js`. */
export function builtFile(path: string): string {
  return join(ROOT, "dist", "package", path);
}

/** The folder for the team's files in their repository. */
const TEAM_FOLDER = "audit";

/**
 * Returns the folder with `wrangler.toml` and the lock files: the root of a clone, or with the package `audit/`, searched from
 * `directory` upwards. If there is none yet, returns the one that `init` would make in `directory`.
 */
export function workerFolder(directory: string = process.cwd()): string {
  if (!IS_PACKAGE) return ROOT;
  for (let at = resolve(directory); ; at = dirname(at)) {
    if (existsSync(join(at, TEAM_FOLDER, "wrangler.toml"))) return join(at, TEAM_FOLDER);
    if (dirname(at) === at) return join(resolve(directory), TEAM_FOLDER);
  }
}

/** The version and commit of this program; `--version` prints them. */
export function programVersion(): Build {
  if (packaged) return packaged;
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  return { version, commit: commitOf(ROOT) };
}

/** Returns "unknown" outside of a Git repository. */
function commitOf(folder: string): string {
  const { status, stdout } = spawnSync("git", ["rev-parse", "--short=7", "HEAD"], { cwd: folder, encoding: "utf8" });
  return status === 0 ? stdout.trim() : "unknown";
}
