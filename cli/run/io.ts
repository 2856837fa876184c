/** The edge of the process: where a command reads and writes, so that its core needs no globals. */
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** True where a person can be asked: stdin and stderr are terminals. */
  readonly interactive: boolean;
  /** Width of the terminal that stdout is; absent in a pipe. */
  readonly columns?: number;
  /** Progress, warnings and questions go here, so that stdout stays the answer alone. */
  readonly note: (line: string) => void;
  /** Colours where stdout is a terminal and `NO_COLOR` is unset; plain text elsewhere. */
  readonly paint: (style: Style, text: string) => string;
}

/** The process's own streams and variables. */
export function processIo(): Io {
  return {
    env: process.env,
    interactive: process.stdin.isTTY && process.stderr.isTTY,
    ...(process.stdout.isTTY ? { columns: process.stdout.columns || 80 } : {}),
    note: (line) => void process.stderr.write(`${line}\n`),
    paint: (style, text) => styleText(style, text, { stream: process.stdout, validateStream: true }),
  };
}
