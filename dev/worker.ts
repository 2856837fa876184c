/** The worker in workerd on loopback, built from its sources as they are now. */
import { SITE, writeConsole } from "../console/build.ts";
import { bundleWorker } from "../worker/build.ts";
import { type RunningWorker, startWorkerd, type WorkerdOptions } from "./workerd.ts";

export type { RunningWorker } from "./workerd.ts";

export interface WorkerOptions extends WorkerdOptions {
  /** The worker's module, where it and the console are built already; absent: both are built. */
  readonly code?: string | undefined;
}

/** Starts the worker. Throws `port_taken` if something else listens on the port. */
export async function startWorker({ code, ...options }: WorkerOptions): Promise<RunningWorker> {
  return startWorkerd({ ...options, script: code ?? (await builtCode()), site: SITE });
}

async function builtCode(): Promise<string> {
  const [code] = await Promise.all([bundleWorker(), writeConsole()]);
  return code;
}
