/** Shows changes as a unified diff; values of variables are never part of it. */
import { structuredPatch } from "diff";
import type { Io } from "../run/io.ts";
import type { Change } from "./plan.ts";

/** The lines of one change, for people. */
export function diffLines({ path, before, after, kind }: Change, paint: Io["paint"]): readonly string[] {
  const title = paint("bold", `${before === undefined ? "add" : "change"} ${path}`);
  if (kind === "module") return [`${title} (${Buffer.byteLength(after)} bytes, built)`];
  const { hunks } = structuredPatch(path, path, before ?? "", after, undefined, undefined, { context: 2 });
  return [title, ...hunks.flatMap(({ lines }) => lines.flatMap((line) => shown(path, line, paint)))];
}

function shown(path: string, line: string, paint: Io["paint"]): readonly string[] {
  const text = line.replace(/\r$/, "");
  if (text.startsWith("+")) return [paint("green", `  ${text}`)];
  if (text.startsWith("-")) return [paint("red", `  ${text}`)];
  // The unchanged lines of `.env` hold the user's secrets.
  return path === ".env" || text.startsWith("\\") ? [] : [`  ${text}`];
}
