/** Workers in one workerd process, each behind a socket of its own: Miniflare's entry worker would cost more than what is measured. */
import { createServer } from "node:net";
import { once } from "node:events";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { workerdProcesses } from "./process-cpu.ts";

export interface WorkerScript {
  readonly name: string;
  readonly script: string;
  readonly bindings?: Readonly<Record<string, string>>;
  /** Binding → class, each with SQLite. */
  readonly durableObjects?: Readonly<Record<string, string>>;
}

export interface Workerd {
  /** In the order of the scripts. */
  readonly urls: readonly string[];
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export const HOST = "127.0.0.1";

/** Starts the workers; Durable Objects keep their state in `stateDir`. */
export async function startWorkerd(workers: readonly WorkerScript[], stateDir?: string): Promise<Workerd> {
  const others = new Set(await workerdProcesses());
  const ports = await Promise.all(workers.map(freePort));
  const options = convertV4MiniflareOptions({
    cf: false,
    handleStructuredLogs: () => undefined,
    workers: workers.map(({ name, script, bindings = {}, durableObjects = {} }, index) => ({
      name,
      modules: [{ type: "ESModule", path: `${name}.mjs`, contents: script }],
      compatibilityDate: "2026-07-01",
      compatibilityFlags: ["nodejs_compat", "nodejs_compat_do_not_populate_process_env"],
      bindings: { ...bindings, AUDIT_WORKER_URL: `http://${HOST}:${ports[index]}` },
      durableObjects: Object.fromEntries(
        Object.entries(durableObjects).map(([binding, className]) => [binding, { className, useSQLite: true }]),
      ),
      unsafeDirectSockets: [{ host: HOST, port: ports[index] ?? 0 }],
    })),
  });
  const miniflare = new Miniflare(stateDir === undefined ? options : { ...options, resourcePersistencePath: stateDir });
  await miniflare.ready;
  return {
    urls: ports.map((port) => `http://${HOST}:${port}`),
    pids: (await workerdProcesses()).filter((pid) => !others.has(pid)),
    stop: () => miniflare.dispose(),
  };
}

/** A port that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address ? address.port : 0;
}
