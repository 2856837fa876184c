/**
 * Edits a JSON text (comments and trailing commas allowed) by insertion only: the user's text stays byte for byte. jsonc-parser's
 * `modify` is not used because it reformats the surrounding items.
 */
import type { Node } from "jsonc-parser";
import { parseTree, printParseErrorCode, type ParseError, stripComments } from "jsonc-parser";
import { AuditError } from "../../shared/errors.ts";

export interface Insertion {
  readonly offset: number;
  readonly text: string;
}

/** Parses a JSON text with comments; throws `invalid_option` naming file and line if it is malformed. */
export function parseJson(text: string, file: string): Node {
  const errors: ParseError[] = [];
  // A byte order mark is replaced by a space, so that offsets still fit the text.
  const tree = parseTree(text.replace(/^\uFEFF/, " "), errors, { allowTrailingComma: true });
  const [first] = errors;
  if (tree && !first) return tree;
  const offset = first?.offset ?? 0;
  const before = text.slice(0, offset).split("\n");
  const reason = first ? spaced(printParseErrorCode(first.error)) : "the file is empty";
  const column = (before.at(-1)?.length ?? 0) + 1;
  throw new AuditError("invalid_option", `"${file}" is not valid JSON at line ${before.length}:${column}: ${reason}`);
}

function spaced(code: string): string {
  return code.replaceAll(/(?<=[a-z])([A-Z])/g, " $1").toLowerCase();
}

/** Applies insertions in any order; insertions at the same offset keep their order. */
export function insertAll(text: string, insertions: readonly Insertion[]): string {
  const pieces: string[] = [];
  let copied = 0;
  for (const { offset, text: added } of insertions.toSorted((a, b) => a.offset - b.offset)) {
    pieces.push(text.slice(copied, offset), added);
    copied = offset;
  }
  return pieces.join("") + text.slice(copied);
}

/** The insertion that makes `value` the first item of an array. */
export function prependItem(text: string, array: Node, value: unknown): readonly Insertion[] {
  const first = array.children?.[0];
  if (!first) return fillEmpty(text, array, (layout) => render(value, layout));
  const layout = layoutOf(text, array);
  const separator = layout.multiline ? layout.eol + layout.indent : layout.gap;
  return [{ offset: first.offset, text: `${render(value, layout)},${separator}` }];
}

/** The insertions that make `value` the last item of an array. */
export function appendItem(text: string, array: Node, value: unknown): readonly Insertion[] {
  return append(text, array, (layout) => render(value, layout));
}

/** The insertions that add a property at the end of an object that does not have it. */
export function appendProperty(text: string, object: Node, name: string, value: unknown): readonly Insertion[] {
  return append(text, object, (layout) => `${JSON.stringify(name)}:${layout.gap}${render(value, layout)}`);
}

function append(text: string, parent: Node, write: (layout: Layout) => string): readonly Insertion[] {
  const last = parent.children?.at(-1);
  if (!last) return fillEmpty(text, parent, write);
  const layout = layoutOf(text, parent);
  const { end, comma } = endOfItem(text, parent, last.offset + last.length);
  const separator = layout.multiline ? layout.eol + layout.indent : layout.gap;
  const added = { offset: end, text: `${separator}${write(layout)}${comma ? "," : ""}` };
  return comma ? [added] : [{ offset: last.offset + last.length, text: "," }, added];
}

function fillEmpty(text: string, parent: Node, write: (layout: Layout) => string): readonly Insertion[] {
  const layout = layoutOf(text, parent);
  const written = write(layout);
  const closesOnOwnLine = text.slice(parent.offset, parent.offset + parent.length).includes("\n");
  const offset = parent.offset + 1;
  if (!layout.multiline || !(written.includes("\n") || closesOnOwnLine)) return [{ offset, text: written }];
  const tail = closesOnOwnLine ? "" : layout.eol + layout.outerIndent;
  return [{ offset, text: layout.eol + layout.indent + written + tail }];
}

/** The end of an item, after its comma and the comment beside it. */
function endOfItem(text: string, parent: Node, itemEnd: number): { end: number; comma: boolean } {
  const rest = text.slice(itemEnd, parent.offset + parent.length - 1);
  const comma = stripComments(rest, " ").indexOf(",");
  const beside = /^[ \t]*(?:\/\/[^\r\n]*|\/\*[^\r\n]*?\*\/)/.exec(rest.slice(comma + 1))?.[0] ?? "";
  return { end: itemEnd + comma + 1 + beside.length, comma: comma !== -1 };
}

interface Layout {
  readonly eol: string;
  readonly unit: string;
  /** Whether items are on lines of their own. */
  readonly multiline: boolean;
  /** Indentation of the items, and of the line that closes them. */
  readonly indent: string;
  readonly outerIndent: string;
  /** What follows a colon or a comma on one line: nothing in a minified text. */
  readonly gap: "" | " ";
}

function layoutOf(text: string, parent: Node): Layout {
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const unit = /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";
  const outerIndent = indentAt(text, parent.offset);
  const minified = !text.trim().includes("\n");
  const first = parent.children?.[0];
  const ownLine = first ? text.slice(parent.offset, first.offset).includes("\n") : !minified;
  const indent = first && ownLine ? indentAt(text, first.offset) : outerIndent + unit;
  return { eol, unit, multiline: ownLine, indent, outerIndent, gap: minified && !/[:,] /.test(text) ? "" : " " };
}

function indentAt(text: string, offset: number): string {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(lineStart))?.[0] ?? "";
}

function render(value: unknown, layout: Layout): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (!layout.multiline) return oneLine(value, layout.gap);
  // A list of one string stays on one line, as formatters write it.
  const pretty = JSON.stringify(value, null, layout.unit).replaceAll(/\[\s+("[^"]*")\s+\]/g, "[$1]");
  return pretty.replaceAll("\n", layout.eol + layout.indent);
}

function oneLine(value: unknown, gap: string): string {
  if (Array.isArray(value)) return `[${value.map((item) => oneLine(item, gap)).join(`,${gap}`)}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}:${gap}${oneLine(item, gap)}`);
  return `{${gap}${fields.join(`,${gap}`)}${gap}}`;
}
