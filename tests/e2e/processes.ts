/** Runs the project's own commands as processes, and tells which processes they leave behind. */
import { spawn, type ChildProcess } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Running {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

/** Starts `node <script> …args` in the repository; a mark in its environment lets `leftovers` find its descendants. */
export function run(script: string, args: readonly string[], mark: string): Running {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1", AUDIT_TEST_MARK: mark },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<number | string>((done) => {
    child.on("close", (code, signal) => done(code ?? signal ?? -1));
  });
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

/** Long enough for a machine on which everything takes ten times as long. */
const PATIENCE_MS = 240_000;

/** Waits until no process runs with this mark: one that was killed with its group is not gone at once. */
export async function allGone(mark: string): Promise<void> {
  let left: readonly string[] = [];
  await until(
    async () => (left = await leftovers(mark)).length === 0,
    () => left.join("; "),
  );
}

/** Command lines of the processes that still run with this mark (Linux only: read from /proc). */
async function leftovers(mark: string): Promise<string[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(ids.map((id) => commandLineIfMarked(id, `AUDIT_TEST_MARK=${mark}`)));
  return found.filter((line) => line !== undefined);
}

async function commandLineIfMarked(id: string, mark: string): Promise<string | undefined> {
  try {
    const environment = await readFile(`/proc/${id}/environ`, "latin1");
    if (!environment.split("\0").includes(mark)) return undefined;
    const commandLine = (await readFile(`/proc/${id}/cmdline`, "latin1")).split("\0").join(" ").trim();
    // A process that has ended but was not yet waited for has no command line.
    return commandLine === "" ? undefined : commandLine;
  } catch {
    return undefined;
  }
}

/** Waits until `ready` holds, or throws what `describe` says. */
export async function until(ready: () => boolean | Promise<boolean>, describe: () => string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await ready())) {
    if (Date.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${describe()}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}
