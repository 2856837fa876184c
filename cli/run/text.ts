/** Text for people: tables, pairs and times. Values may come from a caller of the API, so control characters never reach a terminal. */
import Table from "cli-table3";
import type { Io } from "./io.ts";

/** Every control character but the plain space as `\u{…}`: an escape sequence in a record must not drive the operator's terminal. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

export type Cell = string | number | undefined | null;

/** Rows under a heading: aligned on a terminal, separated by tabs in a pipe. */
export function tableLines(io: Io, heading: readonly string[], rows: readonly (readonly Cell[])[]): readonly string[] {
  const cells = rows.map((row) =>
    row.map((cell) => (cell === undefined || cell === null ? "-" : visible(String(cell)))),
  );
  if (!io.columns) return [heading, ...cells].map((row) => row.join("\t"));
  const table = new Table({
    chars: NO_BORDER,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
    head: heading.map((word) => io.paint("bold", word.toUpperCase())),
  });
  table.push(...cells);
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}

const NO_BORDER = Object.fromEntries(
  ["top", "bottom", "left", "right", "mid"]
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .concat("middle")
    .map((name) => [name, ""]),
);

/** Name and value pairs, one a line; pairs without a value are left out. */
export function pairLines(pairs: readonly (readonly [name: string, value: Cell])[]): readonly string[] {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${visible(String(value))}`);
}

/** `1 file`, `2 files`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
