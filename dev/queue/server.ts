import type { App } from "./app.ts";
import { createMovableClock, type Clock } from "./clock.ts";
import { createLanes } from "./delivery/lanes.ts";
import { createScheduler, type SchedulerParts } from "./delivery/scheduler.ts";
import { createSender } from "./delivery/sender.ts";
import { ApiError } from "./errors.ts";
import { createFaultBoard, type Faults } from "./faults.ts";
import { serve, type Request, type Route } from "./http.ts";
import { createKeys, DEV_TOKEN } from "./keys.ts";
import { dlqRoutes } from "./routes/dlq.ts";
import { devRoutes } from "./routes/dev.ts";
import { eventRoutes } from "./routes/events.ts";
import { flowControlRoutes } from "./routes/flow-control.ts";
import { keyRoutes } from "./routes/keys.ts";
import { messageRoutes } from "./routes/messages.ts";
import { notOfferedRoutes } from "./routes/not-offered.ts";
import { publishRoutes } from "./routes/publications.ts";
import { queueRoutes } from "./routes/queues.ts";
import { urlGroupRoutes } from "./routes/url-groups.ts";
import { openDatabase, type Database } from "./store/database.ts";
import { createFlowKeys } from "./store/flow-keys.ts";
import { recoverInterrupted } from "./store/messages.ts";

export { createMovableClock, type MovableClock } from "./clock.ts";

const DAY_MS = 86_400_000;

export interface QueueOptions {
  /** 0 (the default) takes a free port; always on 127.0.0.1. */
  port?: number;
  /** The SQLite file, made when missing; ":memory:" keeps nothing. */
  path: string;
  /** Decides what is due; default: real time, which `/__dev/clock` can move forward. */
  clock?: Clock;
  /** The time in signatures, which receivers compare with their own; default: the real time, even if `clock` was moved. */
  signingClock?: Pick<Clock, "now">;
  /** Default: the official development server's. */
  token?: string | undefined;
  currentSigningKey?: string | undefined;
  nextSigningKey?: string | undefined;
  /** False writes a line to stderr for each attempt; default true. */
  quiet?: boolean;
  /** Milliseconds for which a deduplication id is remembered; default 10 minutes (the docs; elsewhere QStash says 90 days). */
  dedupWindowMs?: number;
  /** The plan's cap on `Upstash-Retries`, answered with 412; default none. */
  maxRetries?: number | undefined;
  /** Most deliveries under way; default 100, as on the pay-as-you-go plan. */
  parallelism?: number;
  /** Milliseconds for an attempt without `Upstash-Timeout`; default 2 hours, as on the pay-as-you-go plan. */
  timeoutMs?: number;
  /** Bytes; default 10 MB, as on the pay-as-you-go plan. */
  maxMessageBytes?: number;
  /** Milliseconds; defaults 3 days for the log and 7 days for the dead-letter queue. */
  logRetentionMs?: number;
  dlqRetentionMs?: number;
}

export interface Queue {
  url: string;
  port: number;
  token: string;
  /** The keys at the start; after a rotation, `/v2/keys` returns the current ones. */
  currentSigningKey: string;
  nextSigningKey: string;
  clock: Clock;
  /** Makes requests or callbacks go wrong; the same as `POST /__dev/faults`. */
  setFaults(faults: Faults): void;
  clearFaults(): void;
  /** Resolves once nothing is under way and nothing is due, except messages that a paused key or queue holds back. */
  idle(): Promise<void>;
  /** Aborts deliveries under way (the next start repeats them) and closes the file. */
  stop(): Promise<void>;
}

/**
 * Starts a development queue that speaks QStash's HTTP protocol.
 *
 * Errors ({@link AuditError}): `port_taken`, `database_in_use`, `database_unreadable`.
 */
export async function startQueue(options: QueueOptions): Promise<Queue> {
  const database = openDatabase(options.path);
  try {
    return await start(database, options);
  } catch (error) {
    database.close();
    throw error;
  }
}

async function start(database: Database, options: QueueOptions): Promise<Queue> {
  const app = createApp(database, options);
  await database.write(() => recoverInterrupted(database));
  const server = await serve(routesOf(app), (request) => authorize(request, app.token), app.faults, options.port ?? 0);
  app.scheduler.wake();
  return {
    url: `http://127.0.0.1:${server.port}`,
    port: server.port,
    token: app.token,
    currentSigningKey: app.keys.current(),
    nextSigningKey: app.keys.next(),
    clock: app.clock,
    setFaults: (faults) => app.faults.set(faults),
    clearFaults: () => app.faults.clear(),
    idle: () => app.scheduler.idle(),
    async stop() {
      await server.close();
      await app.scheduler.stop();
      database.close();
    },
  };
}

function createApp(database: Database, options: QueueOptions): App {
  const clock = options.clock ?? createMovableClock();
  const faults = createFaultBoard();
  const keys = createKeys(database, { current: options.currentSigningKey, next: options.nextSigningKey });
  const flowKeys = createFlowKeys(database);
  const lanes = createLanes(database, flowKeys);
  const maxMessageBytes = options.maxMessageBytes ?? 10_000_000;
  const parallelism = options.parallelism ?? 100;
  const parts: SchedulerParts = {
    database,
    lanes,
    clock,
    faults,
    parallelism,
    // The answer kept for callbacks and the dead-letter queue is cut at the same size as a message.
    sender: createSender(maxMessageBytes),
    signingKey: () => keys.current(),
    signingNow: () => (options.signingClock ?? Date).now(),
    retention: { log: options.logRetentionMs ?? 3 * DAY_MS, dlq: options.dlqRetentionMs ?? 7 * DAY_MS },
    timeoutMs: options.timeoutMs ?? 7_200_000,
    log: (line) => {
      if (options.quiet === false) process.stderr.write(`${line}\n`);
    },
  };
  return {
    database,
    flowKeys,
    lanes,
    clock,
    faults,
    keys,
    parallelism,
    maxMessageBytes,
    scheduler: createScheduler(parts),
    limits: { maxRetries: options.maxRetries },
    token: options.token ?? DEV_TOKEN,
    dedupWindowMs: options.dedupWindowMs ?? 600_000,
  };
}

function routesOf(app: App): Route[] {
  return [
    ...notOfferedRoutes(),
    ...publishRoutes(app),
    ...messageRoutes(app),
    ...dlqRoutes(app),
    ...eventRoutes(app),
    ...flowControlRoutes(app),
    ...queueRoutes(app),
    ...urlGroupRoutes(app),
    ...keyRoutes(app),
    ...devRoutes(app),
  ];
}

function authorize(request: Request, token: string): void {
  const bearer = /^Bearer (.+)$/.exec(request.headers["authorization"]?.[0] ?? "")?.[1];
  const given = bearer ?? request.query.get("qstash_token");
  if (given !== token) throw new ApiError(401, "unable to authenticate: invalid token");
}
