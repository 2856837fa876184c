import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { AuditError } from "../../shared/errors.ts";
import { ApiError } from "./errors.ts";
import type { Fault, FaultBoard, FaultGroup } from "./faults.ts";
import type { Headers } from "./options.ts";

export interface Request {
  method: string;
  /** As sent, not decoded. */
  path: string;
  /** With the question mark, or empty. */
  search: string;
  query: URLSearchParams;
  headers: Headers;
  body: Buffer;
  ip: string;
}

export interface Reply {
  status: number;
  json?: unknown;
  text?: string;
  headers?: Record<string, string>;
}

export interface Route {
  method: string;
  path: RegExp;
  /** The group of faults that applies to it. */
  group?: FaultGroup;
  /** Receives the path's groups, decoded. */
  run(request: Request, ...groups: string[]): Reply | Promise<Reply>;
}

/** Largest whole batch (upstash.com/docs/qstash/overall/changelog, December 2024). */
const LARGEST_REQUEST_BYTES = 100_000_000;
const HTML = "<!doctype html><html><body><h1>Welcome</h1></body></html>";

interface HttpServer {
  port: number;
  close(): Promise<void>;
}

/** Serves the routes on 127.0.0.1; with `port` 0, on a free port. Errors: `port_taken`. */
export async function serve(
  routes: Route[],
  authorize: (request: Request) => void,
  faults: FaultBoard,
  port: number,
): Promise<HttpServer> {
  const server = http.createServer((incoming, response) => {
    respond(routes, authorize, faults, incoming, response).catch((error: unknown) => {
      const status = error instanceof ApiError ? error.status : 500;
      send(response, { status, json: { error: error instanceof ApiError ? error.message : "internal server error" } });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = `port ${port} is taken: stop what listens there, or choose another "--port" (0 takes a free one)`;
      reject(error.code === "EADDRINUSE" ? new AuditError("port_taken", taken, { cause: error }) : error);
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(
  routes: Route[],
  authorize: (request: Request) => void,
  faults: FaultBoard,
  incoming: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const request = await read(incoming);
  if (!request.path.startsWith("/__dev/")) authorize(request);
  const { route, groups } = find(routes, request);
  const fault = faults.take(route.group);
  if (fault?.delay_ms !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delay_ms));
  if (fault && breakBefore(fault, incoming, response)) return;
  const reply = await route.run(request, ...groups);
  if (fault?.hang === "after") return;
  if (fault?.reset === "after") incoming.socket.destroy();
  else send(response, reply);
}

/** Applies a fault instead of the route; false if the route must run. */
function breakBefore(fault: Fault, incoming: http.IncomingMessage, response: http.ServerResponse): boolean {
  if (fault.hang === "before") return true;
  if (fault.reset === "before") incoming.socket.destroy();
  else if (fault.html) send(response, { status: 200, text: HTML, headers: { "Content-Type": "text/html" } });
  else if (fault.status !== undefined) send(response, refusal(fault.status));
  else return false;
  return true;
}

/** QStash's own format for a refusal; a 429 names the exceeded limit (upstash.com/docs/qstash/api/api-ratelimiting). */
function refusal(status: number): Reply {
  if (status !== 429) return { status, json: { error: `fault: ${http.STATUS_CODES[status] ?? status}` } };
  const reset = String(Math.floor(Date.now() / 1000) + 1);
  return {
    status,
    json: { error: "Exceeded burst rate limit." },
    headers: { "Burst-RateLimit-Limit": "100", "Burst-RateLimit-Remaining": "0", "Burst-RateLimit-Reset": reset },
  };
}

function find(routes: Route[], request: Request): { route: Route; groups: string[] } {
  let known = false;
  for (const route of routes) {
    const match = route.path.exec(request.path);
    if (match === null) continue;
    known = true;
    if (route.method === request.method) return { route, groups: match.slice(1).map(decodePart) };
  }
  throw known ? new ApiError(405, "method not allowed") : new ApiError(404, "not found");
}

/** Decodes a part of a path; a malformed one stays unchanged. */
export function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

async function read(incoming: http.IncomingMessage): Promise<Request> {
  const url = incoming.url ?? "/";
  const mark = url.indexOf("?");
  const search = mark === -1 ? "" : url.slice(mark);
  const headers: Headers = {};
  for (const [name, values] of Object.entries(incoming.headersDistinct)) headers[name] = values ?? [];
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > LARGEST_REQUEST_BYTES) throw new ApiError(413, `request is larger than ${LARGEST_REQUEST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return {
    method: incoming.method ?? "GET",
    path: mark === -1 ? url : url.slice(0, mark),
    search,
    query: new URLSearchParams(search),
    headers,
    body: Buffer.concat(chunks),
    ip: (incoming.socket.remoteAddress ?? "127.0.0.1").replace(/^::ffff:/, ""),
  };
}

function send(response: http.ServerResponse, reply: Reply): void {
  if (response.headersSent || response.destroyed) return;
  const body = reply.text ?? (reply.json === undefined ? "" : JSON.stringify(reply.json));
  const type = reply.json === undefined ? {} : { "Content-Type": "application/json" };
  response.writeHead(reply.status, { ...type, "Content-Length": Buffer.byteLength(body), ...reply.headers });
  response.end(body);
}
