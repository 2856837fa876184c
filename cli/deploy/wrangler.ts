/** Runs wrangler as a process. Secrets reach it on stdin, never as arguments, which it writes to its own log. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { AuditError } from "../../shared/errors.ts";
import { SECRETS } from "./variables.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

export interface WranglerRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `wrangler <args>` with `input` on stdin and tells how it ended. */
export type Wrangler = (args: readonly string[], input?: string, env?: Variables) => Promise<WranglerRun>;

/**
 * Returns the program that `WRANGLER` names, or the pinned wrangler under this Node. `root` holds `wrangler.toml`.
 *
 * Wrangler gets the worker's secrets on stdin when it stores them, and never in its environment.
 */
export function wranglerOf(root: string, env: Variables): Wrangler {
  const [file, ...before] = env["WRANGLER"] ? [env["WRANGLER"]] : [process.execPath, pinnedWrangler()];
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
        reject(new AuditError("internal", `wrangler cannot be started (${file}); check "WRANGLER"`, { cause })),
      );
      child.once("close", (code) => resolve({ exitCode: code ?? 1, stdout, stderr }));
      // A child that ends before it has read its input closes the pipe; its exit code says what happened.
      child.stdin.on("error", () => undefined).end(input);
    });
}

function pinnedWrangler(): string {
  const manifest = createRequire(import.meta.url).resolve("wrangler/package.json");
  return join(dirname(manifest), "bin/wrangler.js");
}

/** What a successful run printed; throws `internal` with wrangler's own complaint where it failed. */
export async function mustRun(
  wrangler: Wrangler,
  args: readonly string[],
  input?: string,
  env?: Variables,
): Promise<string> {
  const { exitCode, stdout, stderr } = await wrangler(args, input, env);
  if (exitCode === 0) return stdout;
  throw new AuditError("internal", `"wrangler ${args.join(" ")}" failed: ${complaintIn(stderr || stdout)}`);
}

/** The lines of wrangler's output that say what is wrong, on one line. */
export function complaintIn(output: string): string {
  const lines = output.split("\n").map((line) => line.trim().replace(/^✘\s*/, ""));
  const start = lines.findIndex((line) => line.includes("ERROR"));
  const said = lines.slice(Math.max(start, 0)).filter((line) => line !== "" && !/^(?:[─-]+$|🪵|⛅)/u.test(line));
  return said.slice(0, 4).join(" ") || "it said nothing";
}

/** The JSON document in wrangler's output, which may follow a banner; throws `internal` where there is none. */
export function jsonIn(stdout: string): unknown {
  const start = stdout.search(/^[[{]/m);
  if (start < 0) throw new AuditError("internal", "wrangler answered without JSON; run the same command by hand");
  return JSON.parse(stdout.slice(start));
}
