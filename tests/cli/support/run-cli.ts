/** Runs the CLI as its own process, with pipes or on a pseudo-terminal. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { spawn as spawnPty } from "@lydell/node-pty";
import { inject } from "vitest";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
}

/** Only what is given is in the environment, so that a variable of the machine decides nothing; the cache only saves time. */
function environment(env: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = "", NODE_COMPILE_CACHE = "" } = process.env;
  return { PATH, NODE_COMPILE_CACHE, ...env };
}

/** Runs one command to its end; stdin is empty unless given. */
export async function runCli(args: readonly string[], { env, input = "", cwd }: RunOptions = {}): Promise<Ended> {
  const child = startCli(args, { ...(env ? { env } : {}), ...(cwd ? { cwd } : {}) });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  return child.ended;
}

/** Starts a command and leaves it running. */
export function startCli(args: readonly string[], { env, cwd }: Omit<RunOptions, "input"> = {}) {
  const child = spawn(process.execPath, [inject("cliFile"), ...args], { env: environment(env), cwd });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = once(child, "close").then(([code]): Ended => ({ code: Number(code), stdout, stderr }));
  return Object.assign(child, { ended, written: () => stderr });
}

/** The JSON document a command printed with `--json`. */
// oxlint-disable-next-line typescript/no-explicit-any -- each test knows the shape of its command
export function json(ended: Ended): any {
  return JSON.parse(ended.stdout);
}

interface Terminal {
  readonly write: (text: string) => void;
  /** Resolves once the screen has shown the text. */
  readonly shows: (text: string | RegExp) => Promise<void>;
  readonly screen: () => string;
  readonly exitCode: Promise<number>;
}

interface TerminalOptions extends Omit<RunOptions, "input"> {
  /** Default 120. */
  readonly columns?: number;
}

/** Runs a command on a pseudo-terminal. */
export function openTerminal(args: readonly string[], { env, cwd, columns = 120 }: TerminalOptions = {}): Terminal {
  const terminal = spawnPty(process.execPath, [inject("cliFile"), ...args], {
    cols: columns,
    rows: 40,
    env: environment({ TERM: "xterm-256color", ...env }),
    ...(cwd ? { cwd } : {}),
  });
  let screen = "";
  const waiting = new Set<() => void>();
  terminal.onData((data) => {
    screen += data;
    for (const look of waiting) look();
  });
  const shows = (text: string | RegExp) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (typeof text === "string" ? !screen.includes(text) : !text.test(screen)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return {
    write: (text) => terminal.write(text),
    shows,
    screen: () => screen,
    exitCode: new Promise((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode))),
  };
}
