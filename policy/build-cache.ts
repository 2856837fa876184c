/** Caches the built policy between runs: a build takes a second of processor time, and its sources seldom change. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** Everything that the built text depends on; the lockfile covers the bundler and the formatter. */
const SOURCES = ["policy", "shared", "package-lock.json"];

/**
 * Returns the text of `policyText`, from `.audit-forwarder/policy/` if no source has changed since it was built.
 *
 * On a disk that cannot be written, it builds the text each time.
 */
export async function cachedPolicyText(): Promise<string> {
  // Imported only for a build, because loading the bundler and the formatter takes half of the time.
  return cachedText(ROOT, async () => (await import("./build.ts")).policyText());
}

/** Returns the result of `build` for the sources under `root`, and calls it only once for the same sources. */
export async function cachedText(root: string, build: () => Promise<string>): Promise<string> {
  const folder = join(root, ".audit-forwarder", "policy");
  const name = `${await hashOf(root)}.ts`;
  const cached = await readFile(join(folder, name), "utf8").catch(() => undefined);
  if (cached !== undefined) return cached;
  const text = await build();
  await store(folder, name, text).catch(() => undefined);
  return text;
}

/** Writes the file in one step, so that no other process reads a partial file, and removes older ones. */
async function store(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const older = await readdir(folder);
  const unfinished = join(folder, `${name}.${process.pid}`);
  await writeFile(unfinished, text);
  await rename(unfinished, join(folder, name));
  await Promise.all(older.filter((file) => file !== name).map((file) => rm(join(folder, file), { force: true })));
}

async function hashOf(root: string): Promise<string> {
  const hash = createHash("sha256");
  for (const source of SOURCES) {
    for (const file of (await filesIn(root, source)).toSorted()) {
      const text = await readFile(join(root, file));
      hash.update(`${file}\n${text.byteLength}\n`).update(text);
    }
  }
  return hash.digest("hex");
}

async function filesIn(root: string, path: string): Promise<string[]> {
  if (path.endsWith(".json")) return [path];
  const entries = await readdir(join(root, path), { recursive: true });
  return entries.filter((file) => file.endsWith(".ts")).map((file) => join(path, file));
}
