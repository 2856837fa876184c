/** Writes several files, all or none. */
import { chmod, mkdir, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { FileChange } from "./plan.ts";

interface Staged {
  readonly change: FileChange;
  readonly target: string;
  readonly temporary: string;
}

/** Writes each file next to its target, then renames them all. If a step fails, the files stay as they were and the error is thrown. */
export async function writeAll(directory: string, changes: readonly FileChange[]): Promise<void> {
  const staged: Staged[] = [];
  const renamed: Staged[] = [];
  try {
    for (const change of changes) staged.push(await stage(directory, change));
    for (const file of staged) {
      await rename(file.temporary, file.target);
      renamed.push(file);
    }
  } catch (error) {
    await Promise.all(staged.map(({ temporary }) => rm(temporary, { force: true })));
    for (const { target, change } of renamed) {
      await (change.before === undefined ? rm(target, { force: true }) : writeFile(target, change.before));
    }
    throw error;
  }
}

async function stage(directory: string, change: FileChange): Promise<Staged> {
  const path = join(directory, change.path);
  // A symbolic link stays a link: its target is replaced.
  const target = await realpath(path).catch(() => path);
  await mkdir(dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}.tmp`;
  const mode = await stat(target).then(
    (info) => info.mode,
    () => (change.path === ".env" ? 0o600 : undefined),
  );
  await writeFile(temporary, change.after, { flag: "wx" });
  if (mode !== undefined) await chmod(temporary, mode);
  return { change, target, temporary };
}
