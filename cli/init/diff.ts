/** Shows changes as a unified diff, without the values of variables. */
import { structuredPatch } from "diff";
import type { Io } from "../run/io.ts";
import type { FileChange } from "./plan.ts";

/** Formats one change for people. */
export function diffLines(change: FileChange, paint: Io["paint"]): readonly string[] {
  const { path, before, after, kind } = change;
  const title = paint("bold", `${before === undefined ? "add" : "change"} ${path}`);
  if (kind === "module") return [`${title} (${Buffer.byteLength(after)} bytes, built)`];
  if (kind === "template") return [title];
  if (kind === "variables") return [title, ...addedLines(change, paint)];
  const { hunks } = structuredPatch(path, path, before ?? "", after, undefined, undefined, { context: 2 });
  return [title, ...hunks.flatMap(({ lines }) => lines.flatMap((line) => shown(line, paint)))];
}

/** The lines added at the end, because the unchanged lines of `.env` hold the user's secrets. */
function addedLines({ before = "", after }: FileChange, paint: Io["paint"]): readonly string[] {
  const added = after.slice(before.length).trim().split(/\r?\n/);
  return added.map((line) => paint("green", `  +${line}`));
}

function shown(line: string, paint: Io["paint"]): readonly string[] {
  const text = line.replace(/\r$/, "");
  if (text.startsWith("+")) return [paint("green", `  ${text}`)];
  if (text.startsWith("-")) return [paint("red", `  ${text}`)];
  return text.startsWith("\\") ? [] : [`  ${text}`];
}
