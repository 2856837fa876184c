// Sets up what a task needs (Node 24, the packages, the Zuplo project's packages), then runs it.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runChild } from "./child.mjs";
import { nodeFirst, publicEnvironment } from "./environment.mjs";
import { fileFailure, SetupError } from "./failure.mjs";
import { install, isStale } from "./install.mjs";
import { withLock } from "./lock.mjs";
import { installNode, readyNode } from "./node24.mjs";
import { requireNpm } from "./npm.mjs";
import { TASKS } from "./tasks.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PACKAGES = { path: ".", doing: "installing the packages" };
const GATEWAY_PACKAGES = { path: "dev/gateway/project", doing: "installing the Zuplo gateway (about 600 MB)" };
const SITE_PACKAGES = { path: "docs/site", doing: "installing the generator of the site (about 100 MB)" };
const LOCK = join(".audit-forwarder", "setup.lock");
/** Half of a short command's time goes into compiling TypeScript, so Node keeps the compiled code between runs. */
const COMPILE_CACHE = { NODE_COMPILE_CACHE: join(ROOT, ".audit-forwarder", "compile-cache") };

/** These tools report usage and look for updates unless told not to. */
const QUIET_TOOLS = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  ZUPLO_DO_NOT_TRACK: "1",
  ZUPLO_DISABLE_UPDATE_CHECK: "1",
};

/**
 * Sets the process's exit code: 0 done, 1 failed, 2 wrong use, 128 + n after signal n.
 * @param {readonly string[]} argv the task's name and its arguments
 * @param {string} callersDirectory
 */
export async function main([name = "", ...args], callersDirectory) {
  try {
    const task = taskOf(name, args);
    const nodePath = await setUp(foldersOf(task));
    process.exitCode = await run(task, args, nodePath, callersDirectory);
  } catch (error) {
    const expected = error instanceof SetupError ? error : fileFailure(error);
    if (!expected) throw error;
    console.error(`error[${expected.code}]: ${expected.message}`);
    process.exitCode = expected.exitCode;
  }
}

/**
 * @param {string} name
 * @param {readonly string[]} args
 * @throws {SetupError} `unknown_task`, `unexpected_argument`
 */
function taskOf(name, args) {
  const task = Object.hasOwn(TASKS, name) ? TASKS[name] : undefined;
  if (!task) {
    const what = name ? `"${name}" is not a task` : "the task is missing";
    throw new SetupError("unknown_task", `${what}; use one of:\n${taskList()}`, 2);
  }
  if (task.noArguments && args.length > 0) {
    throw new SetupError("unexpected_argument", `"${name}" takes no argument "${args[0]}"; run it without`, 2);
  }
  return task;
}

/** @param {import("./tasks.mjs").Task} task */
function foldersOf({ gateway, site }) {
  return [PACKAGES, ...(gateway ? [GATEWAY_PACKAGES] : []), ...(site ? [SITE_PACKAGES] : [])];
}

function taskList() {
  return Object.entries(TASKS)
    .map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`)
    .join("\n");
}

/**
 * @param {readonly import("./install.mjs").Folder[]} folders
 * @returns {Promise<string>} the Node to use
 */
async function setUp(folders) {
  return nodeIfReady(folders) ?? withLock(join(ROOT, LOCK), sayWaiting, () => make(folders));
}

/** @param {readonly import("./install.mjs").Folder[]} folders */
function nodeIfReady(folders) {
  const nodePath = readyNode(ROOT);
  return nodePath && !folders.some((folder) => isStale(ROOT, folder)) ? nodePath : undefined;
}

/** @param {number} pid */
function sayWaiting(pid) {
  console.error(`waiting for the set-up that runs in process ${pid} (if that is something else, delete ${LOCK}) ...`);
}

/** @param {readonly import("./install.mjs").Folder[]} folders */
async function make(folders) {
  await requireNpm({ root: ROOT, nodePath: process.execPath });
  const nodePath = readyNode(ROOT) ?? (await installNode(ROOT));
  for (const folder of folders) {
    if (isStale(ROOT, folder)) await install({ root: ROOT, nodePath }, folder);
  }
  return nodePath;
}

/**
 * @param {import("./tasks.mjs").Task} task
 * @param {readonly string[]} args
 * @param {string} nodePath
 * @param {string} callersDirectory
 * @returns {Promise<number>} 0, or the exit code of the first step that failed
 */
async function run(task, args, nodePath, callersDirectory) {
  const options = {
    cwd: task.inCallersDirectory ? callersDirectory : ROOT,
    env: { ...QUIET_TOOLS, ...COMPILE_CACHE, ...nodeFirst(environmentOf(task), nodePath) },
  };
  let firstFailure = 0;
  for (const step of task.steps(args, ROOT)) {
    const { exitCode, signal } = task.quiet
      ? await runQuietly(step, nodePath, options)
      : await runChild(nodePath, step.args, { ...options, stdio: "inherit" });
    firstFailure ||= exitCode;
    if (signal || (exitCode !== 0 && !task.quiet)) break;
  }
  return firstFailure;
}

/**
 * Secrets in the operator's environment go only to the tasks that use them.
 * @param {import("./tasks.mjs").Task} task
 */
function environmentOf({ secrets }) {
  return secrets ? process.env : publicEnvironment(process.env, Object.keys(QUIET_TOOLS));
}

/**
 * Shows a step's output only if the step fails.
 * @param {import("./tasks.mjs").Step} step
 * @param {string} nodePath
 * @param {import("node:child_process").SpawnOptions} options
 */
async function runQuietly(step, nodePath, options) {
  const startMs = Date.now();
  /** @type {Buffer[]} */
  const output = [];
  const result = await runChild(nodePath, step.args, { ...options, stdio: ["ignore", "pipe", "pipe"] }, (chunk) =>
    output.push(chunk),
  );
  const seconds = ((Date.now() - startMs) / 1000).toFixed(1);
  console.log(`${result.exitCode === 0 ? "ok  " : "FAIL"} ${step.name} (${seconds} s)`);
  if (result.exitCode !== 0) process.stdout.write(Buffer.concat(output));
  return result;
}
