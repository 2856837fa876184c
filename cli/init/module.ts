/** The built policy module: what `init` copies into a project's `modules/`. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { AuditError } from "../../shared/errors.ts";
import { MODULE_PATH, type ProjectFile } from "./project.ts";

const BUILD = new URL("../../policy/build.ts", import.meta.url);
const BUILT = new URL("../../dist/policy/audit-log.ts", import.meta.url);

/** Stands at the top of the built module, so that a file of the user's own is never taken for it. */
const MARK = "audit-forwarder";

/**
 * The module's text, built anew where this is a clone of the repository, so that it is never stale; otherwise as it was shipped.
 * Throws `unavailable` where neither works.
 */
export async function builtModule(): Promise<string> {
  if (existsSync(BUILD)) await buildFromSource();
  try {
    return await readFile(BUILT, "utf8");
  } catch (cause) {
    throw new AuditError("unavailable", 'the built policy is missing in "dist/policy"; run "npm run build"', { cause });
  }
}

/** In a process of its own, because the CLI imports nothing of the policy. */
async function buildFromSource(): Promise<void> {
  const script = `await (await import(${JSON.stringify(BUILD.href)})).buildPolicy()`;
  try {
    await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: fileURLToPath(new URL("../../", import.meta.url)),
    });
  } catch (cause) {
    throw new AuditError("unavailable", 'the policy could not be built; run "npm run build" to see why', { cause });
  }
}

/** Throws `conflict` where a file in our module's place was not made by us. */
export function refuseForeignModule({ text }: ProjectFile, entryIsOurs: boolean): void {
  if (text === undefined || entryIsOurs || text.slice(0, 400).includes(MARK)) return;
  throw new AuditError("conflict", `"${MODULE_PATH}" was not made by audit-forwarder; move it away first`);
}
