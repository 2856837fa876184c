/** The edge of the process: where a command reads and writes, so that its core uses no globals. */
import { styleText } from "node:util";
import { type Suggest, suggestFrom } from "./suggestion.ts";

type Style = Parameters<typeof styleText>[0];

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** True if stdin and stderr are terminals, so that a person can answer. */
  readonly interactive: boolean;
  /** True if stderr can redraw a line: a terminal that is not `TERM=dumb`. */
  readonly redraws: boolean;
  /** Width of stdout's terminal; absent in a pipe. */
  readonly columns?: number;
  /** What is piped into the command, or the terminal. */
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Stdout, for an answer that is too large to hold. */
  readonly output: NodeJS.WritableStream;
  /** Writes part of the answer to stdout while the command still runs. */
  readonly print: (line: string) => void;
  /** Writes progress, warnings and questions to stderr, so that stdout holds only the answer. */
  readonly note: (line: string) => void;
  /** Colours text for a terminal; plain text in a pipe, with `NO_COLOR`, and on `TERM=dumb`. */
  readonly paint: (style: Style, text: string) => string;
  readonly suggest: Suggest;
}

/** Connects a command to the process. `env` holds its variables; `secretsFile` is the file that some of them came from. */
export function processIo(env: Io["env"] = process.env, secretsFile?: string): Io {
  const plain = env["TERM"] === "dumb";
  return {
    env,
    interactive: process.stdin.isTTY && process.stderr.isTTY,
    redraws: process.stderr.isTTY && !plain,
    ...(process.stdout.isTTY ? { columns: process.stdout.columns || 80 } : {}),
    input: process.stdin,
    output: process.stdout,
    print: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    paint: (style, text) => (plain ? text : styleText(style, text, { stream: process.stdout, validateStream: true })),
    suggest: suggestFrom(process.cwd(), secretsFile),
  };
}
