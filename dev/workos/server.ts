/**
 * A stand-in for the audit log part of the WorkOS API, for laptops and tests. It validates bodies by the published OpenAPI
 * description; each further rule names its source. It proves nothing about unpublished behaviour.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { AuditError } from "../../shared/errors.ts";
import { administer, ADMIN_PREFIX } from "./admin.ts";
import type { Answer } from "./answers.ts";
import type { MovableClock } from "./clock.ts";
import { keep } from "./events.ts";
import { faultAnswer, type Fault, type Faults } from "./faults.ts";
import type { Keys } from "./keys.ts";
import type { Organizations } from "./organizations.ts";
import { readCall } from "./call-reader.ts";
import type { Registry } from "./registry.ts";
import { EVENTS_PATH, handle } from "./routes.ts";
import { schemaNamed } from "../../cli/workos/spec.ts";
import type { Knobs, RequestEntry, StoredEvent, WorkosOptions } from "./types.ts";
import { createWorld, resetWorld, type Call, type World } from "./world.ts";

export type { Fault } from "./faults.ts";
export type { Knobs, StoredEvent, WorkosOptions } from "./types.ts";

export interface WorkosStandIn {
  readonly url: string;
  readonly port: number;
  readonly apiKey: string;
  /** Events in order of commit. */
  events(): StoredEvent[];
  /** Requests in order of arrival, without `/__dev/`; an entry is completed while its request is answered. */
  requests(): RequestEntry[];
  readonly faults: Faults;
  readonly clock: MovableClock;
  readonly knobs: Knobs;
  readonly keys: Keys;
  readonly organizations: Organizations;
  readonly registry: Registry;
  reset(): void;
  stop(): Promise<void>;
}

/** Starts the stand-in on 127.0.0.1. Codes: `port_taken`. */
export async function startWorkos(options: WorkosOptions = {}): Promise<WorkosStandIn> {
  const world = createWorld(options);
  const stopping = new AbortController();
  const server = createServer((request, response) => {
    serve({ world, options, stopping: stopping.signal }, request, response).catch((error: unknown) => {
      // Ignore a caller that has disconnected, and a stop. Any other error is a bug in the stand-in.
      if (!stopping.signal.aborted && !request.socket.destroyed) console.error("workos stand-in:", error);
      response.destroy();
    });
  });
  // A client that reuses a connection must not get one that is just being closed.
  server.keepAliveTimeout = 600_000;
  await listen(server, options.port ?? 0).catch((error: unknown) => {
    world.journal.close();
    throw error;
  });
  schemaNamed("AuditLogEventIngestionDto");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    get apiKey() {
      return world.keys.accepted;
    },
    events: () => world.events.slice(),
    requests: () => world.requests.slice(),
    faults: world.faults,
    clock: world.clock,
    knobs: world.knobs,
    keys: world.keys,
    organizations: world.organizations,
    registry: world.registry,
    reset: () => resetWorld(world, options),
    stop: async () => {
      stopping.abort();
      await new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      });
      world.journal.close();
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      reject(
        taken ? new AuditError("port_taken", `port "${port}" is taken; stop its owner or choose another port`) : error,
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
}

interface Serving {
  readonly world: World;
  readonly options: WorkosOptions;
  readonly stopping: AbortSignal;
}

async function serve(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { world, options } = serving;
  const call = await readCall(request, world.knobs.bodyLimitBytes);
  if (call.path.startsWith(ADMIN_PREFIX)) return send(world, response, administer(world, call, options));
  const entry = recordRequest(world, call);
  const origin = `http://${request.headers.host}`;
  const fault = world.faults.take(entry);
  const answer = fault ? await disturbed(serving, call, entry, fault, origin) : effect(world, call, entry, origin);
  if (answer === "hang") return;
  if (answer === "reset") {
    request.socket.resetAndDestroy();
    return;
  }
  if (!response.destroyed) entry.status = answer.status;
  send(world, response, answer);
}

function recordRequest(world: World, call: Call): RequestEntry {
  const body = call.json as {
    organization_id?: string;
    event?: { action?: string; metadata?: { event_id?: string } };
  } | null;
  const entry: RequestEntry = {
    at_ms: world.clock.now(),
    method: call.method,
    path: call.path,
    header_names: Object.keys(call.headers),
    idempotency_key: call.idempotencyKey,
    event_id: body?.event?.metadata?.event_id,
    action: body?.event?.action,
    organization_id: body?.organization_id,
    status: null,
  };
  world.requests.push(entry);
  return entry;
}

function effect(world: World, call: Call, entry: RequestEntry, origin: string): Answer {
  const { answer, outcome, sameBody } = handle(world, call, origin);
  entry.outcome = outcome;
  if (sameBody !== undefined) entry.same_body = sameBody;
  return answer;
}

async function disturbed(
  { world, stopping }: Serving,
  call: Call,
  entry: RequestEntry,
  fault: Fault,
  origin: string,
): Promise<Answer | "hang" | "reset"> {
  const effectFirst = fault.commit === true || fault.reset === "after_commit";
  const real = effectFirst ? effect(world, call, entry, origin) : undefined;
  if (fault.delayMs !== undefined) await delay(fault.delayMs, undefined, { signal: stopping });
  entry.outcome ??= "fault";
  if (fault.reset) return "reset";
  if (fault.hang) return "hang";
  const scripted = faultAnswer(fault);
  if (!scripted) return real ?? effect(world, call, entry, origin);
  if (call.path === EVENTS_PATH) keep(world, call, scripted);
  return scripted;
}

let lastSecond = 0;
let lastDate = "";

/** The `Date` header follows the stand-in's clock, so that a caller can measure its own clock difference. */
function dateHeader(nowMs: number): string {
  const second = Math.floor(nowMs / 1000);
  if (second !== lastSecond) [lastSecond, lastDate] = [second, new Date(nowMs).toUTCString()];
  return lastDate;
}

let requestCount = 0;

function send(world: World, response: ServerResponse, answer: Answer): void {
  requestCount += 1;
  response.writeHead(answer.status, {
    ...answer.headers,
    "content-length": Buffer.byteLength(answer.body),
    date: dateHeader(world.clock.now()),
    "x-request-id": `req_${requestCount}`,
  });
  response.end(answer.body);
}
