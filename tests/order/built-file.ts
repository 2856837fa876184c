/** Keeps what is built once before the tests, so that their processes share it. */
import { createHash } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../../.audit-forwarder/", import.meta.url));

/**
 * Writes a module to `.audit-forwarder/<folder>`, removes the older ones, and returns its path.
 *
 * The name tells the content, so that Node's compile cache keeps the compiled code between runs.
 */
export async function writeBuiltFile(folder: string, code: string | Uint8Array): Promise<string> {
  const name = `${createHash("sha256").update(code).digest("hex").slice(0, 16)}.mjs`;
  const parent = join(FOLDER, folder);
  await mkdir(parent, { recursive: true });
  await writeFile(join(parent, name), code);
  for (const other of await readdir(parent)) if (other !== name) await rm(join(parent, other), { force: true });
  return join(parent, name);
}
