/**
 * Workers in one bare workerd process, each behind a socket of its own, with a configuration of ours: Miniflare puts a worker of its own
 * between each of them and the network, which costs a third of what the floor costs and would be counted as theirs.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { freePort } from "../../dev/free-port.ts";
import { AuditError } from "../../shared/errors.ts";
import { RUNTIME } from "../../worker/build.ts";
import { HOST, type Workerd, type WorkerScript } from "../workerd.ts";

export interface BareWorker extends WorkerScript {
  /** Binding → class, each with SQLite. */
  readonly durableObjects?: Readonly<Record<string, string>>;
}

/** The one that Miniflare brings along. */
const fromMiniflare = createRequire(createRequire(import.meta.url).resolve("miniflare"));
const { default: binary } = fromMiniflare("workerd") as { readonly default: string };

/** Starts the workers; what they write to their log is discarded. Codes: `unavailable`. */
export async function startBareWorkerd(workers: readonly BareWorker[], stateDir: string): Promise<Workerd> {
  const ports = await Promise.all(workers.map(freePort));
  const services = await Promise.all(workers.map((worker, index) => writeWorker(worker, ports[index] ?? 0, stateDir)));
  const sockets = workers.map(
    ({ name }, index) =>
      `(name = ${text(name)}, address = "${HOST}:${ports[index]}", http = (), service = ${text(name)})`,
  );
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "internet", network = (allow = ["public", "private"])), ${services.join(",\n")}],
  sockets = [${sockets.join(",\n")}]
);`;
  const file = join(stateDir, "config.capnp");
  await writeFile(file, config);
  const workerd = spawn(binary, ["serve", "--experimental", "--control-fd=3", file], {
    stdio: ["ignore", "ignore", "inherit", "pipe"],
  });
  const ended = once(workerd, "exit");
  // Asked to end, it would first finish what waits for its turn, which takes minutes.
  const kill = () => workerd.kill("SIGKILL");
  // It would outlive a bench that is interrupted.
  process.once("exit", kill);
  await allListening(workerd.stdio[3] as Readable, workers.length);
  return {
    urls: ports.map((port) => `http://${HOST}:${port}`),
    pids: [workerd.pid ?? 0],
    stop: async () => {
      process.off("exit", kill);
      kill();
      await ended;
    },
  };
}

/** Puts the worker's module beside the configuration, and answers its part of it. https://github.com/cloudflare/workerd/blob/main/src/workerd/server/workerd.capnp */
async function writeWorker(worker: BareWorker, port: number, stateDir: string): Promise<string> {
  const { name, script, bindings = {}, durableObjects = {} } = worker;
  const disk = join(stateDir, name);
  // It exists where its databases were filled before.
  await mkdir(disk, { recursive: true });
  await writeFile(join(stateDir, `${name}.mjs`), script);
  const texts = Object.entries({ ...bindings, AUDIT_WORKER_URL: `http://${HOST}:${port}` });
  const bound = [
    ...texts.map(([key, value]) => `(name = ${text(key)}, text = ${text(value)})`),
    ...Object.entries(durableObjects).map(
      ([key, className]) => `(name = ${text(key)}, durableObjectNamespace = (className = ${text(className)}))`,
    ),
  ];
  // Under steady load an object stays in memory, however short the part of a round in which it is measured.
  const namespaces = Object.values(durableObjects).map(
    (className) =>
      `(className = ${text(className)}, uniqueKey = ${text(`${name}-${className}`)}, enableSql = true, preventEviction = true)`,
  );
  return `(name = ${text(name)}, worker = (
    modules = [(name = "worker.mjs", esModule = embed ${text(`${name}.mjs`)})],
    compatibilityDate = ${text(RUNTIME.compatibilityDate)},
    compatibilityFlags = [${RUNTIME.compatibilityFlags.map(text).join(", ")}],
    globalOutbound = "internet",
    bindings = [${bound.join(", ")}],
    durableObjectNamespaces = [${namespaces.join(", ")}],
    durableObjectStorage = (localDisk = ${text(`${name}-disk`)})
  )),
  (name = ${text(`${name}-disk`)}, disk = (path = ${text(disk)}, writable = true))`;
}

/** Resolves once so many sockets listen, as workerd says of each. */
async function allListening(control: Readable, sockets: number): Promise<void> {
  let listening = 0;
  for await (const line of createInterface(control)) {
    if ((JSON.parse(line) as { event?: unknown }).event === "listen") listening += 1;
    if (listening === sockets) return;
  }
  throw new AuditError("unavailable", 'workerd ended at its start; see what it wrote, and "config.capnp"');
}

/** As the configuration's language writes text, which here is as JSON does. */
function text(value: string): string {
  return JSON.stringify(value);
}
