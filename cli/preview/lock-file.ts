/** Finds the lock file for a preview. */
import { access } from "node:fs/promises";
import { basename, join } from "node:path";
import { LOCK_FILE, type Lock, readLock } from "../schemas/lock.ts";

/** Reads the lock file of the Zuplo project, or the one that this clone's worker is built with. */
export async function readNearestLock(directory: string): Promise<Lock> {
  const inProject = join(directory, basename(LOCK_FILE));
  const isThere = await access(inProject).then(
    () => true,
    () => false,
  );
  return readLock(isThere ? inProject : LOCK_FILE);
}
