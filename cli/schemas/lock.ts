/** The committed lock file: the registered schema version of each action, built into the worker. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { AuditError } from "../../shared/errors.ts";
import { workerFolder } from "../run/installation.ts";

export type Lock = Readonly<Record<string, number>>;

/** Where a deploy of the worker looks for it. */
export const LOCK_FILE = join(workerFolder(), "audit-schemas.lock.json");

const LockShape = z.record(z.string(), z.int().min(1));

/** Empty if there is no file. Throws `invalid_option` if it is malformed. */
export async function readLock(path: string): Promise<Lock> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "{}";
    throw error;
  });
  const lock = LockShape.safeParse(parse(text));
  if (lock.success) return lock.data;
  throw new AuditError("invalid_option", `"${path}" must be an object of action and version`);
}

/** Writes the whole file or nothing, sorted by name, so that a commit shows what changed. */
export async function writeLock(path: string, lock: Lock): Promise<void> {
  const sorted = Object.fromEntries(Object.entries(lock).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(sorted, null, 2)}\n`);
  await rename(temporary, path);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
