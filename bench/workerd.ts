/** Workers in one workerd process, each behind a socket of its own: Miniflare's entry worker would cost more than what is measured. */
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { freePort } from "../dev/free-port.ts";
import { RUNTIME } from "../worker/build.ts";
import { workerdProcesses } from "./process-cpu.ts";

export interface WorkerScript {
  readonly name: string;
  readonly script: string;
  readonly bindings?: Readonly<Record<string, string>>;
}

export interface Workerd {
  /** In the order of the scripts. */
  readonly urls: readonly string[];
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export const HOST = "127.0.0.1";

type Runtime = Pick<typeof RUNTIME, "compatibilityDate" | "compatibilityFlags">;

/** Starts the workers, as the worker of this repository runs unless `runtime` says otherwise. */
export async function startWorkerd(workers: readonly WorkerScript[], runtime: Runtime = RUNTIME): Promise<Workerd> {
  const others = new Set(await workerdProcesses());
  const ports = await Promise.all(workers.map(freePort));
  const options = convertV4MiniflareOptions({
    cf: false,
    handleStructuredLogs: () => undefined,
    workers: workers.map(({ name, script, bindings = {} }, index) => ({
      name,
      modules: [{ type: "ESModule", path: `${name}.mjs`, contents: script }],
      ...runtime,
      bindings: { ...bindings, AUDIT_WORKER_URL: `http://${HOST}:${ports[index]}` },
      unsafeDirectSockets: [{ host: HOST, port: ports[index] ?? 0 }],
    })),
  });
  const miniflare = new Miniflare(options);
  await miniflare.ready;
  return {
    urls: ports.map((port) => `http://${HOST}:${port}`),
    pids: (await workerdProcesses()).filter((pid) => !others.has(pid)),
    stop: () => miniflare.dispose(),
  };
}
