// Installs a folder's packages from its lockfile where they are missing, stale or half installed.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runNpm } from "./npm.mjs";
import { withProgress } from "./progress.mjs";

/** Scripts stay off: no package here needs one. Development packages are wanted even where NODE_ENV is `production`. */
const NPM_CI = [
  "ci",
  "--ignore-scripts",
  "--no-audit",
  "--no-fund",
  "--include=dev",
  "--include=optional",
  "--prefer-offline",
];

/**
 * @typedef {{ path: string, doing: string }} Folder a folder with a lockfile, relative to the repository, and the words for its installation
 */

/**
 * True where the folder's packages are not what its lockfile says. An installation made by hand counts as well as ours.
 * @param {string} root
 * @param {Folder} folder
 */
export function isStale(root, folder) {
  const directory = join(root, folder.path);
  const lockfile = readText(join(directory, "package-lock.json"));
  if (lockfile === undefined) return false;
  const installed = readText(hiddenLockfile(directory));
  if (installed === undefined) return true;
  return readText(stampFile(directory)) !== stamp(lockfile, installed) && !isInstalled(lockfile, installed);
}

/**
 * @param {import("./npm.mjs").Place} place
 * @param {Folder} folder
 * @throws {import("./failure.mjs").SetupError} npm's failures
 */
export async function install(place, folder) {
  const directory = join(place.root, folder.path);
  const lockfile = readFileSync(join(directory, "package-lock.json"), "utf8");
  // Removed first: npm clears the folder in no order, and what says "installed" must not outlive the packages.
  rmSync(hiddenLockfile(directory), { force: true });
  await withProgress(folder.doing, () => runNpm(place, NPM_CI, { doing: folder.doing, cwd: directory }));
  mkdirSync(dirname(stampFile(directory)), { recursive: true });
  writeFileSync(stampFile(directory), stamp(lockfile, readText(hiddenLockfile(directory))));
}

/**
 * npm keeps a lockfile of its own beside the packages, written when an installation ends.
 * @param {string} lockfile
 * @param {string} hidden
 */
function isInstalled(lockfile, hidden) {
  const installed = JSON.parse(hidden).packages;
  return Object.entries(JSON.parse(lockfile).packages)
    .filter(([path, entry]) => path !== "" && isWanted(entry))
    .every(
      ([path, entry]) => installed[path]?.version === entry.version && installed[path].integrity === entry.integrity,
    );
}

/**
 * npm leaves out optional packages made for other machines.
 * @param {{ optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} entry
 */
function isWanted({ optional, os, cpu, libc }) {
  if (!optional) return true;
  return os?.includes(process.platform) === true && cpu?.includes(process.arch) === true && libc === undefined;
}

/**
 * Ties both lockfiles together: it no longer fits once either changes.
 * @param {string} lockfile
 * @param {string | undefined} hidden
 */
function stamp(lockfile, hidden) {
  return createHash("sha256").update(`${process.platform}-${process.arch}\n${lockfile}\n${hidden}`).digest("hex");
}

/** @param {string} directory */
function stampFile(directory) {
  return join(directory, "node_modules", ".cache", "audit-forwarder", "installed");
}

/** @param {string} directory */
function hiddenLockfile(directory) {
  return join(directory, "node_modules", ".package-lock.json");
}

/** @param {string} file */
function readText(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
