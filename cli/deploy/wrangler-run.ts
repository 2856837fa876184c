/** `wrangler`: runs the pinned wrangler in the worker's folder. Its arguments are not parsed, because all belong to wrangler. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { workerFolder } from "../run/installation.ts";
import { writeWorker } from "./worker-files.ts";
import { type Variables, wranglerProgram } from "./wrangler.ts";

/** Wrangler commands that read the worker's files. */
const UPLOADS = new Set(["deploy", "versions", "dev"]);

/** Runs wrangler on this terminal and returns its exit code. Throws as `writeWorker` does. */
export async function runWrangler(args: readonly string[], env: Variables): Promise<number> {
  const folder = workerFolder();
  if (UPLOADS.has(args[0] ?? "")) await writeWorker(folder);
  const [file, ...before] = wranglerProgram(env);
  const child = spawn(file, [...before, ...args], {
    // `login` must work before the folder exists.
    ...(existsSync(folder) ? { cwd: folder } : {}),
    env: { ...env, WRANGLER_SEND_METRICS: "false" },
    stdio: "inherit",
  });
  const [code] = (await once(child, "close")) as [number | null];
  return code ?? 1;
}
