/** Runs the CLI: in the test's own process, as a process with pipes, or on a pseudo-terminal. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { spawn as spawnPty } from "@lydell/node-pty";
import { inject } from "vitest";
import type * as program from "../../../cli/program.ts";
import { suggestFrom } from "../../../cli/run/suggestion.ts";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

interface ProcessOptions extends Omit<RunOptions, "input"> {
  readonly cwd?: string;
}

/**
 * Runs one command to its end in this process, in a tenth of a process's processor time; stdin is empty unless given.
 *
 * The command sees only the variables of `env`. For what Node reads itself, such as `TZ`, and for signals use `startCli`.
 */
export async function runCli(args: readonly string[], { env = {}, input = "" }: RunOptions = {}): Promise<Ended> {
  const output = new PassThrough();
  const stdout = text(output);
  let stderr = "";
  const code = await programOf(inject("cliFile")).runProgram(args, env, (variables, secretsFile) => ({
    env: variables,
    interactive: false,
    redraws: false,
    input: Readable.from([input]),
    output,
    print: (line) => void output.write(`${line}\n`),
    note: (line) => void (stderr += `${line}\n`),
    paint: (_style, plain) => plain,
    suggest: suggestFrom(process.cwd(), secretsFile),
  }));
  output.end();
  return { code, stdout: await stdout, stderr };
}

/** Node loads the bundle here, because Vitest would transform it first. */
function programOf(file: string): typeof program {
  return createRequire(import.meta.url)(file) as typeof program;
}

/** Only what is given is in the environment, so that a variable of the machine decides nothing; the cache only saves time. */
function environment(env: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = "", NODE_COMPILE_CACHE = "" } = process.env;
  return { PATH, NODE_COMPILE_CACHE, ...env };
}

/** Starts a command as a process and leaves it running. */
export function startCli(args: readonly string[], { env, cwd }: ProcessOptions = {}) {
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
export function openTerminal(args: readonly string[], { env, columns = 120 }: TerminalOptions = {}): Terminal {
  const terminal = spawnPty(process.execPath, [inject("cliFile"), ...args], {
    cols: columns,
    rows: 40,
    env: environment({ TERM: "xterm-256color", ...env }),
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
