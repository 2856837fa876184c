/** Runs wrangler as a process. Secrets go to its stdin, never into its arguments, which it writes to its own log. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { AuditError } from "../../shared/errors.ts";
import { suggestFrom } from "../run/suggestion.ts";
import { SECRETS } from "./variables.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

interface WranglerRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `wrangler <args>` with `input` on stdin and returns the result. */
export type Wrangler = (args: readonly string[], input?: string, env?: Variables) => Promise<WranglerRun>;

/**
 * Returns the program that `WRANGLER` names, or the pinned wrangler under this Node. `root` holds `wrangler.toml`.
 *
 * Wrangler receives the worker's secrets on stdin when it stores them, and never in its environment.
 */
export function wranglerOf(root: string, env: Variables): Wrangler {
  const [file, ...before] = wranglerProgram(env);
  const withoutSecrets = Object.fromEntries(Object.entries(env).filter(([name]) => !Object.hasOwn(SECRETS, name)));
  const quiet = { ...withoutSecrets, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1", FORCE_COLOR: "0" };
  return (args, input = "", more = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn(file, [...before, ...args], { cwd: root, env: { ...quiet, ...more } });
      let stdout = "";
      let stderr = "";
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
      child.once("error", (cause) =>
        reject(new AuditError("unavailable", `wrangler cannot be started (${file}); check "WRANGLER"`, { cause })),
      );
      child.once("close", (code) => resolve({ exitCode: code ?? 1, stdout, stderr }));
      // A child that ends before it has read its input closes the pipe; its exit code says why.
      child.stdin.on("error", () => undefined).end(input);
    });
}

/** The program and its first arguments: what `WRANGLER` names, or the pinned wrangler under this Node. */
export function wranglerProgram(env: Variables): readonly [file: string, ...before: string[]] {
  return env["WRANGLER"] ? [env["WRANGLER"]] : [process.execPath, pinnedWrangler()];
}

function pinnedWrangler(): string {
  const manifest = createRequire(import.meta.url).resolve("wrangler/package.json");
  return join(dirname(manifest), "bin/wrangler.js");
}

/** Returns the output of a successful run. Throws as `wranglerFailure` describes. */
export async function mustRun(
  wrangler: Wrangler,
  args: readonly string[],
  input?: string,
  env?: Variables,
): Promise<string> {
  const { exitCode, stdout, stderr } = await wrangler(args, input, env);
  if (exitCode === 0) return stdout;
  throw wranglerFailure(args, stderr || stdout);
}

const NO_LOGIN =
  /CLOUDFLARE_API_TOKEN|not logged in|not authenticated|Authentication error|Invalid access token|code: (?:10000|9109|10001)\b/i;
/** Wrangler stores its login and its log in the home directory, and fails if it cannot. */
const NO_HOME = /\b(?:EACCES|EROFS|EPERM|ENOTDIR)\b[^]*\.wrangler/;
const NO_NETWORK = /fetch failed|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|Couldn't connect/i;

/**
 * `unauthorized` without a login, `unavailable` if Cloudflare cannot be reached or the home directory cannot be written to,
 * otherwise `rejected` with wrangler's own words.
 */
export function wranglerFailure(args: readonly string[], colouredOutput: string): AuditError {
  // An early failure is coloured despite NO_COLOR.
  const output = stripVTControlCharacters(colouredOutput);
  const said = complaintIn(output);
  const suggest = suggestFrom(process.cwd());
  if (NO_LOGIN.test(output)) {
    return new AuditError(
      "unauthorized",
      `Cloudflare refuses the login; run "${suggest("wrangler", "login")}", or set "CLOUDFLARE_API_TOKEN" and "CLOUDFLARE_ACCOUNT_ID"`,
    );
  }
  if (NO_HOME.test(output)) {
    return new AuditError(
      "unavailable",
      'wrangler cannot write to your home directory; set "XDG_CONFIG_HOME" to a directory that it can write to',
    );
  }
  if (NO_NETWORK.test(output)) {
    return new AuditError("unavailable", `Cloudflare cannot be reached; check the network or the proxy (${said})`);
  }
  return new AuditError("rejected", `"${suggest("wrangler", ...args)}" failed: ${said}`);
}

/** The lines of wrangler's output that explain the failure, joined into one line. */
function complaintIn(output: string): string {
  const lines = output.split("\n").map((line) => line.trim().replace(/^✘\s*/, ""));
  const start = lines.findIndex((line) => line.includes("ERROR"));
  const said = lines.slice(Math.max(start, 0)).filter((line) => line !== "" && !/^(?:[─-]+$|🪵|⛅)/u.test(line));
  return said.slice(0, 4).join(" ") || "it said nothing";
}

/** Returns the JSON document in wrangler's output, which may follow a banner. Throws `internal` if there is none. */
export function jsonIn(stdout: string): unknown {
  const start = stdout.search(/^[[{]/m);
  if (start < 0) throw new AuditError("internal", "wrangler answered without JSON; run the same command by hand");
  return JSON.parse(stdout.slice(start));
}
