/**
 * Stands for QStash, WorkOS, Zuplo's ingest and the worker's spill at once, in a thread of its own, so that its work does not disturb
 * the clock of the client. Counts the records that it takes.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parentPort, Worker } from "node:worker_threads";

export type SinkMode = "healthy" | "slow" | "hung";
/** Records taken, by who sends them. */
export interface SinkCounts {
  readonly queue: number;
  readonly workos: number;
  readonly zuplo: number;
  readonly spill: number;
}

export interface Sink {
  readonly url: string;
  /** From now on requests are answered so; what hangs is broken off. */
  setMode(mode: SinkMode): Promise<void>;
  counts(): Promise<SinkCounts>;
  stop(): Promise<void>;
}

export const SLOW_MS = 300;

/** Starts a sink on a free port of 127.0.0.1. */
export async function startSink(): Promise<Sink> {
  const worker = new Worker(new URL(import.meta.url), { execArgv: ["--disable-warning=ExperimentalWarning"] });
  const ask = async <T>(question: unknown): Promise<T> => {
    worker.postMessage(question);
    const [answer] = (await once(worker, "message")) as [T];
    return answer;
  };
  const port = await ask<number>("port");
  return {
    url: `http://127.0.0.1:${port}`,
    setMode: (mode) => ask(mode),
    counts: () => ask("counts"),
    stop: async () => void (await worker.terminate()),
  };
}

const counts = { queue: 0, workos: 0, zuplo: 0, spill: 0 };
let mode: SinkMode = "healthy";
const hanging = new Set<ServerResponse>();

function serve(port: NonNullable<typeof parentPort>): void {
  const server = createServer((request, response) => void answer(request, response));
  server.keepAliveTimeout = 600_000;
  server.listen(0, "127.0.0.1");
  port.on("message", (question: "port" | "counts" | SinkMode) => {
    if (question === "port") return whenListening(() => port.postMessage((server.address() as AddressInfo).port));
    if (question === "counts") return port.postMessage({ ...counts });
    mode = question;
    for (const response of hanging) response.destroy();
    hanging.clear();
    return port.postMessage(mode);
  });

  function whenListening(run: () => void): void {
    if (server.listening) run();
    else server.once("listening", run);
  }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? "";
  let body = "";
  for await (const chunk of request) body += String(chunk);
  // The gateway's own telemetry is the same for every route, so it is not counted.
  if (path.endsWith("/telemetry")) return send(response, {});
  count(path, body);
  if (mode === "hung") {
    hanging.add(response);
    return;
  }
  if (mode === "slow") await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
  send(response, path.startsWith("/v2/publish/") ? { messageId: "msg_1" } : { success: true });
}

function count(path: string, body: string): void {
  if (path.startsWith("/v2/publish/")) counts.queue += listIn(body, "records");
  else if (path.endsWith("/audit_logs/events")) counts.workos += 1;
  else if (path.endsWith("/audit-events")) counts.zuplo += listIn(body, "events");
  else if (path.endsWith("/ingest")) counts.spill += listIn(body, "records");
}

function listIn(body: string, name: string): number {
  const list = (JSON.parse(body) as Record<string, unknown>)[name];
  return Array.isArray(list) ? list.length : 0;
}

function send(response: ServerResponse, json: unknown): void {
  response.setHeader("content-type", "application/json").end(JSON.stringify(json));
}

if (parentPort) serve(parentPort);
