/** Starts the worker from the bundle that was made once before the tests. */
import { readFile } from "node:fs/promises";
import { inject } from "vitest";
import { startWorker, type RunningWorker, type WorkerOptions } from "../../../dev/worker.ts";

/** Starts the worker with a clock that `POST /test/clock` moves. */
export async function startMovableWorker(options: WorkerOptions): Promise<RunningWorker> {
  return startWorker({ code: await readFile(inject("movableWorkerFile"), "utf8"), ...options });
}

export async function startBuiltWorker(options: WorkerOptions): Promise<RunningWorker> {
  return startWorker({ code: await readFile(inject("workerFile"), "utf8"), ...options });
}
