/** A turn that one process at a time can have. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 100;

/**
 * Waits until no other process has the turn that `file` stands for; returns the function that gives it back.
 *
 * The turn is a lock of SQLite, because the system frees it when the process dies.
 */
export async function takeTurn(file: string): Promise<() => void> {
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file, { timeout: 0 });
  while (!isLocked(database)) await sleep(POLL_MS);
  return () => database.close();
}

/** Tries to lock the file; true if this process holds the lock now. */
function isLocked(database: DatabaseSync): boolean {
  try {
    database.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (String(error).includes("database is locked")) return false;
    throw error;
  }
}
