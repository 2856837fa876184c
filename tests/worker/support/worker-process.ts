/** Starts the worker as a process group and ends it as a crash would: SIGKILL for the parent and workerd at once. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";
import type { WorkerOptions } from "../../../dev/worker.ts";
import { until } from "./local-path.ts";

const MAIN = fileURLToPath(new URL("worker-main.ts", import.meta.url));

interface WorkerProcess {
  readonly url: string;
  readonly port: number;
  kill(): Promise<void>;
}

export async function startWorkerProcess(options: Omit<WorkerOptions, "code" | "onLog">): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [MAIN, inject("movableWorkerFile"), JSON.stringify(options)], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const [line] = (await Promise.race([once(child.stdout, "data"), exited.then(() => [""])])) as [Buffer | string];
  const url = String(line).trim();
  if (!url) throw new Error("the worker's process ended before it was ready");
  return {
    url,
    port: Number(new URL(url).port),
    async kill() {
      // The group: workerd is a child of the child, and would otherwise live on.
      process.kill(-(child.pid ?? 0), "SIGKILL");
      await exited;
      // Its children may end later than it, and the next worker is to have their port.
      await until(
        () =>
          fetch(url).then(
            () => true,
            () => false,
          ),
        (answers) => !answers,
      );
    },
  };
}
