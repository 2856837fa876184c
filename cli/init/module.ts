/** The built policy module: what `init` copies into a project's `modules/`. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { AuditError } from "../../shared/errors.ts";
import { POLICY_NAME } from "./project.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DIST = join(ROOT, "dist", "policy");

/** Stands at the top of the built module, so that a file of the user's own is never taken for it. */
const MARK = "audit-forwarder";

/**
 * The files of the module by name, built from the source where this is a clone of the repository, so that they are never stale;
 * otherwise as they were shipped. Throws `unavailable` where neither works.
 */
export async function builtModule(): Promise<ReadonlyMap<string, string>> {
  await buildFromSource();
  const names = await readdir(DIST).catch((): string[] => []);
  const ours = names.filter((name) => name.startsWith(`${POLICY_NAME}.`)).toSorted();
  if (!ours.includes(`${POLICY_NAME}.js`)) {
    throw new AuditError("unavailable", 'the built policy is missing in "dist/policy"; run "npm run build"');
  }
  const texts = await Promise.all(ours.map((name) => readFile(join(DIST, name), "utf8")));
  return new Map(ours.map((name, index) => [name, texts[index] ?? ""]));
}

/** In a process of its own, because the CLI imports nothing of the policy. */
async function buildFromSource(): Promise<void> {
  const sources = await readdir(join(ROOT, "policy")).catch((): string[] => []);
  if (!sources.includes("build.ts")) return;
  const script = `await (await import(${JSON.stringify(new URL("../../policy/build.ts", import.meta.url).href)})).buildPolicy()`;
  try {
    await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], { cwd: ROOT });
  } catch (cause) {
    throw new AuditError("unavailable", 'the policy could not be built; run "npm run build" to see why', { cause });
  }
}

/** Throws `conflict` where a file under our module's name was not made by us. */
export function refuseForeignModule(present: ReadonlyMap<string, string>, entryIsOurs: boolean): void {
  for (const [name, text] of present) {
    if (entryIsOurs || name.endsWith(".d.ts") || text.includes(MARK)) continue;
    throw new AuditError("conflict", `"modules/${name}" was not made by audit-forwarder; move it away first`);
  }
}
