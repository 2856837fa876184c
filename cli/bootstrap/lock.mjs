// One set-up at a time in one working tree, held by a file with the holder's process id.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const POLL_MS = 200;

/**
 * Runs `work` while holding the lock `file`. A lock whose process is gone is taken over.
 * @template T
 * @param {string} file
 * @param {(pid: number) => void} onWait called once, where another process holds the lock
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, onWait, work) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    let waiting = false;
    for (let holder = take(file, mine); holder !== undefined; holder = take(file, mine)) {
      if (!waiting && holder > 0) onWait(holder);
      waiting ||= holder > 0;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    try {
      return await work();
    } finally {
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/**
 * @param {string} file
 * @param {string} mine
 * @returns {number | undefined} undefined once the lock is ours, else its holder (0 where it just changed hands)
 */
function take(file, mine) {
  if (linked(mine, file)) return undefined;
  const holder = pidIn(file);
  if (holder === 0 || isAlive(holder)) return holder;
  // Only one process can make the heir's file of a dead holder, so only one replaces that holder's lock.
  const heir = `${file}.heir-of-${holder}`;
  if (!linked(mine, heir)) {
    if (!isAlive(pidIn(heir))) rmSync(heir, { force: true });
    return 0;
  }
  const stillDead = pidIn(file) === holder;
  if (stillDead) {
    linkSync(mine, `${mine}.lock`);
    renameSync(`${mine}.lock`, file);
  }
  rmSync(heir, { force: true });
  return stillDead ? undefined : 0;
}

/**
 * @param {string} from
 * @param {string} to
 */
function linked(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  }
}

/** @param {string} file */
function pidIn(file) {
  try {
    return Number(readFileSync(file, "utf8")) || 0;
  } catch {
    return 0;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
