/** The worker's files that wrangler uploads. In a clone, `[build]` in wrangler.toml makes them. */
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { AuditError } from "../../shared/errors.ts";
import { builtFile, IS_PACKAGE } from "../run/installation.ts";
import { readLock } from "../schemas/lock.ts";

/** The folder that the package's wrangler.toml names in `main` and `[assets]`. */
const UPLOAD = ".audit-forwarder";
const MAIN = join("worker", "index.js");
/** Placeholder in the package's worker for the lock file's text; `release/worker.ts` puts it there. */
const LOCK_MARK = "@@audit-schemas.lock.json@@";

/**
 * Copies the package's worker, with the schema versions of the team's lock file, and its console to where `folder`'s wrangler.toml
 * points.
 *
 * Leaves an identical file alone, and bundles nothing. In a clone it does nothing. Throws `not_found` if there is no wrangler.toml,
 * and `invalid_option` if the lock file is malformed.
 */
export async function writeWorker(folder: string): Promise<void> {
  if (!IS_PACKAGE) return;
  await requireFolder(folder);
  const lock = JSON.stringify(await readLock(join(folder, "audit-schemas.lock.json")));
  const built = builtFile("upload");
  const entries = await readdir(built, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((found) => found.isFile())) {
    const path = relative(built, join(entry.parentPath, entry.name));
    const text = await readFile(join(built, path), "utf8");
    await writeIfChanged(join(folder, UPLOAD, path), path === MAIN ? withLock(text, lock) : text);
  }
}

/** Makes the worker's file for the upload and returns its path. In a clone, this runs the bundler. Throws as `writeWorker` does. */
export async function workerFile(folder: string): Promise<string> {
  await writeWorker(folder);
  if (IS_PACKAGE) return join(folder, UPLOAD, MAIN);
  await promisify(execFile)(process.execPath, [join(folder, "worker", "upload.ts")]);
  return join(folder, "dist", MAIN);
}

/** Replaces the placeholder, which is in a JavaScript string, with the lock. Pure. */
function withLock(code: string, lock: string): string {
  return code.replace(LOCK_MARK, () => JSON.stringify(lock).slice(1, -1));
}

async function requireFolder(folder: string): Promise<void> {
  const toml = await readFile(join(folder, "wrangler.toml"), "utf8").catch(() => undefined);
  if (toml !== undefined) return;
  throw new AuditError(
    "not_found",
    `"${join(folder, "wrangler.toml")}" is missing; run "init" in your repository to make it`,
  );
}

/** Renames a finished file into place, because another deploy, such as a dry run, may read it at the same time. */
async function writeIfChanged(path: string, text: string): Promise<void> {
  if ((await readFile(path, "utf8").catch(() => undefined)) === text) return;
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}`;
  await writeFile(part, text);
  await rename(part, path);
}
