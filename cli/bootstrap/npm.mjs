// Runs the machine's own npm, with what it prints in a log file.
import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { basename, delimiter, dirname, join, relative } from "node:path";
import { runChild, signalExitCode } from "./child.mjs";
import { npmFailure, SetupError } from "./failure.mjs";

/** npm 7 is the first that reads our lockfile's format, npm 9 the oldest that came with a Node we run on. */
const NPM_MIN_MAJOR = 9;
/** Without a network npm would otherwise retry for more than a minute before it says so. */
const PATIENCE = { npm_config_fetch_retry_mintimeout: "1000", npm_config_fetch_retry_maxtimeout: "8000" };
/** Kept from npm's output for the explanation of a failure. */
const TAIL_CHARS = 20_000;

/**
 * @typedef {{ root: string, nodePath: string }} Place the repository and the Node that npm itself runs on
 */

/**
 * Runs npm and returns what it wrote on both outputs.
 * @param {Place} place
 * @param {readonly string[]} args
 * @param {{ doing: string, cwd?: string }} options `doing` names the work in a failure's line
 * @throws {SetupError} `npm_missing`, or what `npmFailure` makes of the output
 */
export async function runNpm(place, args, { doing, cwd = place.root }) {
  const log = logFile(place.root);
  const { file, prefix, shell } = npmCommand(place.nodePath);
  let output = "";
  const take = (/** @type {Buffer} */ chunk) => {
    output = (output + chunk.toString()).slice(-TAIL_CHARS);
    writeLog(log, chunk);
  };
  writeLog(log, `> npm ${args.join(" ")}\n`);
  const env = { ...PATIENCE, ...nodeFirst(place.nodePath) };
  const result = await runChild(
    file,
    [...prefix, ...args],
    { cwd, env, shell, stdio: ["ignore", "pipe", "pipe"] },
    take,
  ).catch((error) => {
    throw error.code === "ENOENT"
      ? new SetupError("npm_missing", "npm is not on PATH; install Node 24, which brings it, and run the command again")
      : error;
  });
  if (result.signal)
    throw new SetupError("interrupted", `stopped while ${doing}; run the command again`, signalExitCode(result.signal));
  if (result.exitCode !== 0) throw npmFailure(output, doing, relative(place.root, log));
  return output;
}

/**
 * Starts a set-up: a fresh log, and an npm that can do it.
 * @param {Place} place
 * @throws {SetupError} `npm_missing`, `npm_too_old`
 */
export async function requireNpm(place) {
  rmSync(logFile(place.root), { force: true });
  const version = (await runNpm(place, ["--version"], { doing: "asking npm for its version" })).trim();
  if (Number.parseInt(version, 10) < NPM_MIN_MAJOR) {
    throw new SetupError(
      "npm_too_old",
      `npm ${version} is too old; run "npm install --global npm@11" and run the command again`,
    );
  }
}

/**
 * The environment with the directory of `nodePath` first on PATH, so that every child finds the same Node.
 * @param {string} nodePath
 */
export function nodeFirst(nodePath) {
  const key = Object.keys(process.env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
  return { ...process.env, [key]: [dirname(nodePath), process.env[key] ?? ""].join(delimiter) };
}

/**
 * npm tells its scripts where it is; started by hand, PATH must know it.
 * @param {string} nodePath
 */
function npmCommand(nodePath) {
  const given = process.env.npm_execpath;
  if (given && basename(given) === "npm-cli.js") return { file: nodePath, prefix: [given], shell: false };
  return { file: "npm", prefix: [], shell: process.platform === "win32" };
}

/** @param {string} root */
function logFile(root) {
  return join(root, ".audit-forwarder", "setup.log");
}

/**
 * The log is a convenience: a full disk must not hide npm's own failure.
 * @param {string} log
 * @param {string | Buffer} text
 */
function writeLog(log, text) {
  try {
    mkdirSync(dirname(log), { recursive: true });
    appendFileSync(log, text);
  } catch {}
}
