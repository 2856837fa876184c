// Installs a folder's packages from its lockfile if they are missing, stale or half installed.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runNpm } from "./npm.mjs";
import { withProgress } from "./progress.mjs";

/** Scripts are off, because no package here needs one. Development packages are installed even if NODE_ENV is `production`. */
export const NPM_CI = [
  "ci",
  "--ignore-scripts",
  "--no-audit",
  "--no-fund",
  "--include=dev",
  "--include=optional",
  "--prefer-offline",
];

/**
 * @typedef {{ path: string, doing: string }} Folder a folder with a lockfile, relative to the repository, and the text that
 *   names its installation
 */

/**
 * Returns true if the folder's packages are not the ones in its lockfile. An installation made by hand counts, too.
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
  warnOfUnpinned(folder, lockfile);
  // Remove npm's own list first: npm clears the folder in any order, and the list must not outlive the packages.
  rmSync(hiddenLockfile(directory), { force: true });
  await withProgress(folder.doing, () => runNpm(place, NPM_CI, { doing: folder.doing, cwd: directory }));
  mkdirSync(dirname(stampFile(directory)), { recursive: true });
  writeFileSync(stampFile(directory), stamp(lockfile, readText(hiddenLockfile(directory))));
}

/**
 * npm checks each package against the hash in the lockfile, but installs one without a hash all the same.
 * @param {Folder} folder
 * @param {string} lockfile
 */
function warnOfUnpinned({ path }, lockfile) {
  const names = wantedIn(lockfile)
    .filter(([, { integrity, inBundle }]) => !integrity && !inBundle)
    .map(([at, { version }]) => `${at.replace(/^.*node_modules\//, "")}@${version}`);
  if (names.length === 0) return;
  console.error(`warning: "${join(path, "package-lock.json")}" pins no hash for ${names.join(", ")} on this platform`);
}

/**
 * Compares the lockfile with the one that npm writes beside the packages when an installation ends.
 * @param {string} lockfile
 * @param {string} hidden
 */
function isInstalled(lockfile, hidden) {
  const installed = JSON.parse(hidden).packages;
  return wantedIn(lockfile).every(
    ([path, entry]) => installed[path]?.version === entry.version && installed[path].integrity === entry.integrity,
  );
}

/**
 * @typedef {object} Entry a package in a lockfile
 * @property {string} version
 * @property {string} [integrity]
 * @property {boolean} [inBundle] part of another package, whose hash covers it
 * @property {boolean} [optional]
 * @property {string[]} [os]
 * @property {string[]} [cpu]
 * @property {string[]} [libc]
 */

/**
 * Returns the packages that npm installs on this platform, each with its path.
 * @param {string} lockfile
 * @returns {[path: string, entry: Entry][]}
 */
function wantedIn(lockfile) {
  /** @type {[string, Entry][]} */
  const entries = Object.entries(JSON.parse(lockfile).packages);
  return entries.filter(([path, entry]) => path !== "" && isWanted(entry));
}

/**
 * npm skips optional packages that are built for another platform.
 * @param {Entry} entry
 */
function isWanted({ optional, os, cpu, libc }) {
  if (!optional) return true;
  return os?.includes(process.platform) === true && cpu?.includes(process.arch) === true && libc === undefined;
}

/**
 * A hash of both lockfiles: it changes when either of them changes.
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
