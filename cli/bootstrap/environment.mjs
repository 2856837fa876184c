// Chooses the environment variables of a child process. Leaves secrets out unless the child needs them.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";

/**
 * Variables that hold no secret and that any program may need: an allowlist, because a secret can have any name.
 * Compared without regard to case, as Windows does.
 */
const PUBLIC_NAMES = new Set(
  [
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "TMPDIR", "TEMP", "TMP", "TZ", "LANG", "LANGUAGE"],
    ["TERM", "COLORTERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CI", "GITHUB_ACTIONS", "DEBUG"],
    // Windows
    ["SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "USERNAME", "HOMEDRIVE", "HOMEPATH"],
    ["APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "OS"],
    ["PROCESSOR_ARCHITECTURE", "NUMBER_OF_PROCESSORS"],
    // The network: proxies and certificates
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"],
    ["NODE_USE_ENV_PROXY", "NODE_USE_SYSTEM_CA", "NODE_TLS_REJECT_UNAUTHORIZED"],
    ["NODE_ENV", "NODE_OPTIONS", "NODE_COMPILE_CACHE", "NODE_NO_WARNINGS", "NODE_DISABLE_COLORS"],
  ].flat(),
);
const PUBLIC_PREFIXES = ["LC_", "XDG_"];
/** Settings of this repository's own tests. */
const TEST_PREFIXES = ["AUDIT_SIM_", "AUDIT_TEST_", "VITEST", "DEBUG_WORKER"];

/**
 * The environment for npm: public variables, npm's own settings, and each `${NAME}` that an `.npmrc` refers to, which is how a
 * registry's token reaches npm.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} directory where npm runs
 */
export function npmEnvironment(env, directory) {
  const named = new Set(npmrcFiles(env, directory).flatMap(namesIn));
  return only(env, (name) => isPublic(name) || hasPrefix(name, ["NPM_CONFIG_"]) || named.has(name));
}

/**
 * The environment for a task that handles no secret, such as the tests or the demo.
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} names further variables that the task may see
 */
export function publicEnvironment(env, names) {
  return only(env, (name) => isPublic(name) || hasPrefix(name, TEST_PREFIXES) || names.includes(name));
}

/**
 * The environment with the directory of `nodePath` first on PATH, so that every child finds the same Node.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} nodePath
 */
export function nodeFirst(env, nodePath) {
  const key = Object.keys(env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
  return { ...env, [key]: [dirname(nodePath), env[key] ?? ""].join(delimiter) };
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {(name: string) => boolean} isWanted
 */
function only(env, isWanted) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => isWanted(name)));
}

/** @param {string} name */
function isPublic(name) {
  return PUBLIC_NAMES.has(name.toUpperCase()) || hasPrefix(name, PUBLIC_PREFIXES);
}

/**
 * @param {string} name
 * @param {readonly string[]} prefixes in capitals
 */
function hasPrefix(name, prefixes) {
  return prefixes.some((prefix) => name.toUpperCase().startsWith(prefix));
}

/**
 * The project's, the user's and the machine's file, where npm looks for them (docs.npmjs.com/cli/configuring-npm/npmrc).
 * @param {NodeJS.ProcessEnv} env
 * @param {string} directory
 */
function npmrcFiles(env, directory) {
  return [
    join(directory, ".npmrc"),
    env.npm_config_userconfig ?? env.NPM_CONFIG_USERCONFIG ?? join(env.HOME ?? homedir(), ".npmrc"),
    env.npm_config_globalconfig ?? env.NPM_CONFIG_GLOBALCONFIG ?? join(dirname(process.execPath), "../etc/npmrc"),
  ];
}

/** @param {string} npmrc */
function namesIn(npmrc) {
  try {
    return [...readFileSync(npmrc, "utf8").matchAll(/\$\{([^}?]+)\??\}/g)].map(([, name = ""]) => name);
  } catch {
    return [];
  }
}
