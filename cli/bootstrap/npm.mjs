// Runs the npm of this machine and writes its output to a log file.
import { appendFileSync, mkdirSync, rmSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { runChild, signalExitCode } from "./child.mjs";
import { nodeFirst, npmEnvironment } from "./environment.mjs";
import { npmFailure, SetupError } from "./failure.mjs";

/** npm 9 is the oldest version that a supported Node came with (Node 20.0); the lockfile's format needs npm 7. */
const NPM_MIN_MAJOR = 9;
/** Without these, npm retries for more than a minute before it reports that there is no network. */
const PATIENCE = { npm_config_fetch_retry_mintimeout: "1000", npm_config_fetch_retry_maxtimeout: "8000" };
/** The part of npm's output that is kept to explain a failure. */
const TAIL_CHARS = 20_000;

/**
 * @typedef {{ root: string, nodePath: string }} Place the repository and the Node that npm itself runs on
 */

/**
 * Runs npm without the operator's secrets in its environment, and returns its output (stdout and stderr together).
 * @param {Place} place
 * @param {readonly string[]} args
 * @param {{ doing: string, cwd?: string }} options `doing` names the work in an error message
 * @throws {SetupError} `npm_missing`, and the codes of `npmFailure`
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
  const env = { ...PATIENCE, ...nodeFirst(npmEnvironment(process.env, cwd), place.nodePath) };
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
 * Starts a new log and checks that npm is there and new enough.
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
 * A script that npm started knows npm's path from "npm_execpath". Otherwise npm must be on PATH.
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
 * Ignores errors, so that a full disk does not hide npm's own failure.
 * @param {string} log
 * @param {string | Buffer} text
 */
function writeLog(log, text) {
  try {
    mkdirSync(dirname(log), { recursive: true });
    appendFileSync(log, text);
  } catch {}
}
