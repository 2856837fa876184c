/** The built worker in workerd on loopback, through Miniflare: the same code and the same Durable Objects as when deployed. */
import { convertV4MiniflareOptions, Miniflare, type Request, type Response } from "miniflare";
import { AuditError } from "../shared/errors.ts";
import { freePort, refuseTakenPort } from "./free-port.ts";
import { RUNTIME } from "../worker/build.ts";

const HOST = "127.0.0.1";

/** The files that a deploy would upload. */
interface BuiltWorker {
  /** The text of the worker's module. */
  readonly script: string;
  /** The folder of its static assets. */
  readonly site: string;
}

export interface WorkerdOptions {
  /** Absent or 0: a free one. */
  readonly port?: number | undefined;
  /** The worker's variables; `AUDIT_WORKER_URL` is the worker's own URL unless given. */
  readonly vars: Readonly<Record<string, string>>;
  /** Folder of the Durable Objects and the directory; absent: in memory, gone when the worker stops. */
  readonly persistPath?: string | undefined;
  /** Entries of the directory of organizations and names (KV). */
  readonly directory?: Readonly<Record<string, string>> | undefined;
  /** Binds a bucket for the evidence, in `persistPath` like the rest. */
  readonly hasEvidence?: boolean | undefined;
  /** Answers the worker's own requests; absent: they go to the network. */
  readonly outbound?: ((request: Request) => Promise<Response>) | undefined;
  /** Takes the lines that the worker logs; absent: they are dropped. */
  readonly onLog?: ((line: string) => void) | undefined;
}

export interface RunningWorker {
  readonly url: string;
  readonly port: number;
  /** Runs the cron handler once, as at a time in ms since the epoch; by default now. A later time seals what was delivered until then. */
  scheduled(atMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a worker that is built. Throws `port_taken` if something else listens on the port. */
export async function startWorkerd(options: WorkerdOptions & BuiltWorker): Promise<RunningWorker> {
  if (options.port) await refuseTakenPort(options.port, HOST);
  const port = options.port || (await freePort());
  const url = `http://${HOST}:${port}`;
  const miniflare = withoutExitHook(() => new Miniflare(miniflareOptions(options, port, url)));
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
    await miniflare.dispose();
  };
  // Without this an interrupted parent leaves workerd behind, which keeps the port.
  const onSignal = (signal: NodeJS.Signals) => void stopAndEnd(stop, signal);
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    await miniflare.ready;
    await fillDirectory(miniflare, options.directory);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, port, stop, scheduled: (atMs) => runCron(miniflare, atMs) };
}

/** Miniflare's own signal handlers end the process at once, before the other parts of a stack could stop in order. */
function withoutExitHook(start: () => Miniflare): Miniflare {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const before = new Set(signals.flatMap((signal) => process.listeners(signal)));
  const miniflare = start();
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) {
      if (!before.has(listener)) process.off(signal, listener);
    }
  }
  return miniflare;
}

/** Ends the process as the signal would have, unless somebody else listens and decides. */
async function stopAndEnd(stop: () => Promise<void>, signal: NodeJS.Signals): Promise<void> {
  await stop();
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

/** The same as `[assets]` in wrangler.toml, in the names that Miniflare's two asset workers use. */
const ASSETS = {
  binding: "ASSETS",
  run_worker_first: true,
  routerConfig: { invoke_user_worker_ahead_of_assets: true, has_user_worker: true },
  assetConfig: { html_handling: "none" },
} as const;

const STORES = {
  LEDGER: "Ledger",
  OUTBOX: "Outbox",
  ARCHIVE: "Archive",
  MONITOR: "Monitor",
  EVIDENCE_LOG: "EvidenceLog",
};

function miniflareOptions(options: WorkerdOptions & BuiltWorker, port: number, url: string) {
  const { script, site, vars, persistPath, directory, hasEvidence = false, outbound, onLog } = options;
  const durableObjects = Object.fromEntries(
    Object.entries(STORES).map(([name, className]) => [name, { className, useSQLite: true }]),
  );
  const converted = convertV4MiniflareOptions({
    host: HOST,
    port,
    cf: false,
    handleStructuredLogs: ({ message }: { message: string }) => onLog?.(message),
    workers: [
      {
        name: "audit-forwarder",
        modules: [{ type: "ESModule", path: "worker.mjs", contents: script }],
        ...RUNTIME,
        bindings: { WORKOS_BASE_URL: "https://api.workos.com", AUDIT_WORKER_URL: url, ...vars },
        durableObjects,
        assets: { ...ASSETS, directory: site },
        r2Buckets: hasEvidence ? ["EVIDENCE"] : [],
        kvNamespaces: directory ? ["DIRECTORY"] : [],
        ...(outbound && { outboundService: outbound }),
      },
    ],
  });
  return persistPath === undefined ? converted : { ...converted, resourcePersistencePath: persistPath };
}

async function fillDirectory(miniflare: Miniflare, directory: Readonly<Record<string, string>> = {}): Promise<void> {
  const entries = Object.entries(directory);
  if (entries.length === 0) return;
  const store = await miniflare.getKVNamespace("DIRECTORY");
  for (const [key, value] of entries) await store.put(key, value);
}

async function runCron(miniflare: Miniflare, atMs = Date.now()): Promise<void> {
  const worker = await miniflare.getWorker();
  const result = await worker.scheduled({ cron: "*/5 * * * *", scheduledTime: new Date(atMs) });
  if (result.outcome !== "ok") throw new AuditError("internal", `the cron handler ended as "${result.outcome}"`);
}
