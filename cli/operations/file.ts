/** The committed file `audit-coverage.json`: shows a reviewer which operations change. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { WrongUse } from "../run/failure.ts";
import type { Io } from "../run/io.ts";
import type { Operation } from "./operation.ts";

export const COVERAGE_FILE = "audit-coverage.json";

const Stored = z.object({ operations: z.array(z.looseObject({ method: z.string(), path: z.string() })) });

/** The file's text: one operation a line, in the order given. */
function coverageText(operations: readonly Operation[]): string {
  const lines = operations.map((operation) => `    ${JSON.stringify(operation)}`);
  return `{\n  "operations": [${lines.length > 0 ? `\n${lines.join(",\n")}\n  ` : ""}]\n}\n`;
}

/** Returns the file's text; undefined if there is none. */
export async function readCoverage(directory: string): Promise<string | undefined> {
  return readFile(join(directory, COVERAGE_FILE), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

/**
 * Returns the file for a command that has no project: the named one, or the one in the current folder. Without one, notes it and
 * returns undefined. Throws `WrongUse` if the named one does not exist.
 */
export function findCoverage(named: string | undefined, { note }: Pick<Io, "note">): string | undefined {
  const path = named ?? COVERAGE_FILE;
  if (existsSync(path)) return path;
  if (named !== undefined) throw new WrongUse(`"${named}" does not exist; name the file of "coverage --update"`);
  note(`no operation counts as exempt: there is no "${COVERAGE_FILE}" here; name it with "--coverage"`);
  return undefined;
}

/** Writes the file into a project. */
export async function writeCoverage(directory: string, operations: readonly Operation[]): Promise<void> {
  await writeFile(join(directory, COVERAGE_FILE), coverageText(operations));
}

/**
 * Names each operation that differs between the file and the project, such as `POST /members`. Compares content, not formatting or
 * order. Undefined if the file is not JSON of that shape.
 */
export function differences(text: string, operations: readonly Operation[]): readonly string[] | undefined {
  const stored = Stored.safeParse(parse(text));
  if (!stored.success) return undefined;
  const [before, after] = [lines(stored.data.operations), lines(operations)];
  const names = [
    ...[...before].flatMap(([line, name]) => (after.has(line) ? [] : [name])),
    ...[...after].flatMap(([line, name]) => (before.has(line) ? [] : [name])),
  ];
  return [...new Set(names)].toSorted();
}

function lines(list: readonly Pick<Operation, "method" | "path">[]): ReadonlyMap<string, string> {
  return new Map(list.map((operation) => [JSON.stringify(sorted(operation)), `${operation.method} ${operation.path}`]));
}

/** Sorts keys, so that equal objects have equal texts. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
