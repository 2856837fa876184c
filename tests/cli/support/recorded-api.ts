/** A worker that answers from a script, for what only the wire shows: what the CLI sends, and what it makes of odd answers. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface Answer {
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection is cut instead. */
  readonly reset?: boolean;
}

export type Script = (call: Call, index: number) => Answer | Promise<Answer>;

export interface RecordedApi {
  readonly url: string;
  readonly calls: Call[];
  readonly env: Record<string, string>;
  readonly close: () => Promise<void>;
}

export const TOKEN = "admin-token-of-the-tests";

/** Starts on a free port of loopback. */
export async function startRecordedApi(script: Script): Promise<RecordedApi> {
  const calls: Call[] = [];
  const server: Server = createServer((request, response) => void answer(script, calls, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    calls,
    env: { AUDIT_WORKER_URL: url, AUDIT_ADMIN_TOKEN: TOKEN },
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(script: Script, calls: Call[], request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url ?? "/", "http://worker");
  const call: Call = {
    method: request.method ?? "",
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    body: await text(request),
  };
  calls.push(call);
  const { status = 200, json, text: plain, headers, reset } = await script(call, calls.length - 1);
  if (reset) return request.socket.destroy();
  const type = status >= 400 && json !== undefined ? "application/problem+json" : "application/json";
  response.writeHead(status, { "content-type": plain === undefined ? type : "text/html", ...headers });
  return response.end(plain ?? JSON.stringify(json ?? {}));
}

export function problemJson(status: number, code: string, detail: string): Answer {
  return { status, json: { type: "about:blank", title: "No", status, code, detail } };
}
