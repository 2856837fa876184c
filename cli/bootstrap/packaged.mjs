// Starts the program of the package, which is built: there is nothing to install, unless the command starts another program and
// this Node is too old for that.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runChild } from "./child.mjs";
import { nodeFirst } from "./environment.mjs";
import { fileFailure, SetupError } from "./failure.mjs";
import { withLock } from "./lock.mjs";
import { installNode, readyNode } from "./node24.mjs";
import { requireNpm } from "./npm.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PROGRAM = new URL("../../dist/package/audit-forwarder.mjs", import.meta.url);
const LOCK = join(".audit-forwarder", "setup.lock");
const NODE_MIN_MAJOR = 20;
/** By the `engines` of the programs that these commands start: wrangler, and Zuplo's. */
const MIN_MAJOR_BY_COMMAND = new Map([
  ["deploy", 22],
  ["wrangler", 22],
  ["dev", 24],
]);

const major = Number.parseInt(process.versions.node, 10);
const args = process.argv.slice(2);

try {
  if (major < NODE_MIN_MAJOR) {
    const fix = "install Node 24 (20 or newer is enough) and run the command again";
    throw new SetupError("node_too_old", `Node ${process.versions.node} is too old; ${fix}`);
  }
  if (!existsSync(PROGRAM)) {
    throw new SetupError(
      "not_built",
      'the package was packed without its program; pack it again with "npm pack", scripts on',
    );
  }
  if (major >= Math.max(...args.map((word) => MIN_MAJOR_BY_COMMAND.get(word) ?? 0))) await import(PROGRAM.href);
  else process.exitCode = await runUnderNode24();
} catch (error) {
  const expected = error instanceof SetupError ? error : fileFailure(error);
  if (!expected) throw error;
  console.error(`error[${expected.code}]: ${expected.message}`);
  process.exitCode = expected.exitCode;
}

/** @returns {Promise<number>} the program's exit code */
async function runUnderNode24() {
  const nodePath = readyNode(ROOT) ?? (await withLock(join(ROOT, LOCK), sayWaiting, makeNode));
  const env = nodeFirst(process.env, nodePath);
  const { exitCode } = await runChild(nodePath, [fileURLToPath(PROGRAM), ...args], { env, stdio: "inherit" });
  return exitCode;
}

async function makeNode() {
  await requireNpm({ root: ROOT, nodePath: process.execPath });
  return readyNode(ROOT) ?? installNode(ROOT);
}

/** @param {number} pid */
function sayWaiting(pid) {
  console.error(`waiting for the set-up that runs in process ${pid} (if that is something else, delete ${LOCK}) ...`);
}
