/** Text for people: tables and pairs. Values may come from a caller of the API, so control characters are never printed. */
import Table from "cli-table3";
import type { Io } from "./io.ts";

/** Shows every control character except the plain space as `\u{…}`: an escape sequence in a record must not control the terminal. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

type Cell = string | number | undefined | null;

/**
 * Formats rows under a heading: aligned on a terminal, or one block of pairs per row if the terminal is too narrow. In a pipe, tabs
 * separate cells, and a text that a spreadsheet would run as a formula gets an apostrophe in front.
 */
export function tableLines(io: Io, heading: readonly string[], rows: readonly (readonly Cell[])[]): readonly string[] {
  if (io.columns === undefined) return [heading, ...rows.map((row) => row.map(pipeText))].map((row) => row.join("\t"));
  const cells = rows.map((row) => row.map(cellText));
  const widths = heading.map((word, index) => Math.max(word.length, ...cells.map((row) => row[index]?.length ?? 0)));
  const total = widths.reduce((sum, width) => sum + width + GAP, -GAP);
  return total <= io.columns ? alignedLines(io, heading, cells) : blockLines(io.columns, heading, cells);
}

const GAP = 2;
const NONE = "-";

function cellText(cell: Cell): string {
  return cell === undefined || cell === null ? NONE : visible(String(cell));
}

function pipeText(cell: Cell): string {
  return typeof cell === "string" ? withoutFormula(visible(cell)) : cellText(cell);
}

/** As csv-stringify escapes them. https://owasp.org/www-community/attacks/CSV_Injection */
function withoutFormula(text: string): string {
  return /^[=+\-@\t\r＝＋－＠]/.test(text) ? `'${text}` : text;
}

function alignedLines(io: Io, heading: readonly string[], cells: readonly (readonly string[])[]): readonly string[] {
  const table = new Table({
    chars: NO_BORDER,
    style: { head: [], border: [], "padding-left": 0, "padding-right": GAP },
    head: heading.map((word) => io.paint("bold", word.toUpperCase())),
  });
  table.push(...cells.map((row) => [...row]));
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

function blockLines(columns: number, heading: readonly string[], cells: readonly (readonly string[])[]) {
  const indent = Math.max(...heading.map((word) => word.length)) + GAP;
  return cells.flatMap((row, index) => {
    const pairs = heading.flatMap((word, column) => {
      const [first = "", ...rest] = wrapped(row[column] ?? NONE, columns - indent);
      return [word.padEnd(indent) + first, ...rest.map((line) => " ".repeat(indent) + line)];
    });
    return index === 0 ? pairs : ["", ...pairs];
  });
}

/** Breaks a text into lines of at most `width` characters: at spaces, and inside a word only if the word itself is longer. */
export function wrapped(text: string, width: number): readonly string[] {
  const room = Math.max(width, 10);
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= room) lines[lines.length - 1] = `${last} ${word}`;
    else
      for (let start = 0; start === 0 || start < word.length; start += room)
        lines.push(word.slice(start, start + room));
  }
  return lines;
}

/** Formats name and value pairs, one per line. Omits pairs without a value. */
export function pairLines(pairs: readonly (readonly [name: string, value: Cell])[]): readonly string[] {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${visible(String(value))}`);
}

/** `1 file`, `2 files`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
