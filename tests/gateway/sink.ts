/** One HTTP server that stands for QStash, the worker, WorkOS and an origin; what it answers can be changed at any time. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { inflateRawSync } from "node:zlib";
import type { AuditRecord } from "../../shared/record.ts";
import { decodeMessage } from "../../worker/message/decoded-message.ts";
import { waitUntil } from "./wait.ts";

type Mode =
  | "accept"
  | "refuse"
  | "hang"
  | { readonly status: number; readonly body?: string; readonly type?: string; readonly afterMs?: number };

type PathName = "queue" | "ingest" | "workos" | "origin";

export interface Received {
  readonly path: PathName;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly accepted: boolean;
}

export interface Sink {
  readonly url: string;
  /** Everything that came, refused requests included. */
  readonly received: Received[];
  set(path: PathName, mode: Mode): void;
  /** Keeps the answers of a path back until the given function is called, so that what comes meanwhile did not wait for them. */
  hold(path: PathName): () => void;
  /** What came with a record of the request that was sent with this `zp-rid`; a record that is late from another test is none. */
  of(requestId: string, path?: PathName): Received[];
  /** Accepts on all paths and forgets what came. */
  reset(): void;
  /** Records of accepted messages, on the queue and on the spill. */
  records(path?: PathName): AuditRecord[];
  /** Waits for accepted records and gives them. */
  waitForRecords(matches: (record: AuditRecord) => boolean, count?: number): Promise<AuditRecord[]>;
  close(): Promise<void>;
}

export async function startSink(): Promise<Sink> {
  const modes = new Map<PathName, Mode>();
  const gates = new Map<PathName, Promise<void>>();
  let received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const path = pathOf(request.url ?? "");
      const mode = modes.get(path) ?? "accept";
      received.push({ path, url: request.url ?? "", headers: request.headers, body, accepted: mode === "accept" });
      void Promise.resolve(gates.get(path)).then(() =>
        path === "origin" ? origin(request, response, body) : answer(path, mode, response),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const messages = (path?: PathName) =>
    received.filter((one) => (path === undefined ? isMessage(one) : one.path === path && isMessage(one)));
  const records = (path?: PathName) =>
    messages(path)
      .filter(({ accepted }) => accepted)
      .flatMap(decode);
  return {
    url: `http://127.0.0.1:${port}`,
    get received() {
      return received;
    },
    set: (path, mode) => void modes.set(path, mode),
    hold(path) {
      const { promise, resolve } = Promise.withResolvers<void>();
      gates.set(path, promise);
      return () => {
        gates.delete(path);
        resolve();
      };
    },
    of: (requestId, path) =>
      messages(path).filter((one) => decode(one).some((record) => record.requestId === requestId)),
    reset() {
      modes.clear();
      received = [];
    },
    records,
    async waitForRecords(matches, count = 1) {
      await waitUntil(
        () => records().filter(matches).length >= count,
        () => JSON.stringify(records()),
      );
      return records().filter(matches);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The records of a message, as the worker reads them. */
export function decode({ body }: Pick<Received, "body">): readonly AuditRecord[] {
  const decoded = decodeMessage(Buffer.from(body));
  if (decoded.kind !== "message" || decoded.unreadable.length > 0) throw new Error(`unreadable: ${body}`);
  return decoded.records;
}

/** Everything that left the gateway in one request, also what is packed in it, to be searched. */
export function everythingIn({ path, url, headers, body }: Received): string {
  const { d } = JSON.parse(body) as { d?: string };
  const inside = d === undefined ? "" : inflateRawSync(Buffer.from(d, "base64url")).toString();
  return JSON.stringify([url, headers, body, inside, path === "workos" ? [] : decode({ body })]) + inside;
}

function isMessage({ path }: Received): boolean {
  return path === "queue" || path === "ingest";
}

function pathOf(url: string): PathName {
  if (url.startsWith("/v2/publish/")) return "queue";
  if (url.startsWith("/worker/ingest")) return "ingest";
  return url.startsWith("/audit_logs/events") ? "workos" : "origin";
}

function answer(path: PathName, mode: Mode, response: ServerResponse): void {
  if (mode === "hang") return;
  if (mode === "refuse") {
    response.socket?.destroy();
    return;
  }
  const { status, body, type, afterMs } =
    mode === "accept"
      ? { status: path === "ingest" ? 202 : 200, body: '{"messageId":"msg_1"}', type: undefined, afterMs: 0 }
      : mode;
  setTimeout(() => {
    response.writeHead(status, { "content-type": type ?? "application/json" });
    response.end(body ?? "{}");
  }, afterMs ?? 0);
}

/** What a forwarding route forwards to. */
function origin(request: IncomingMessage, response: ServerResponse, body: string): void {
  response.writeHead(200, { "content-type": "application/json", "x-origin": "yes" });
  response.end(JSON.stringify({ origin: true, method: request.method, body }));
}
