/**
 * A proxy in front of the queue and the worker that notes each record that one of them acknowledged. It forwards bytes unchanged in
 * both directions.
 */
import { type IncomingMessage, createServer, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

interface Acknowledgement {
  readonly eventId: string;
  readonly path: "queue" | "spill";
  readonly atMs: number;
}

export interface Witness {
  readonly url: string;
  readonly acknowledgements: readonly Acknowledgement[];
  /** Answers other than 2xx to publishes and spills, and connections that ended without an answer. */
  readonly refused: () => number;
  stop(): Promise<void>;
}

/** Starts a witness on 127.0.0.1 in front of `targetUrl`; requests whose path `isHandOver` accepts are noted. */
export async function startWitness(
  targetUrl: string,
  path: Acknowledgement["path"],
  isHandOver: (method: string, path: string) => boolean,
  nowMs: () => number,
): Promise<Witness> {
  const acknowledgements: Acknowledgement[] = [];
  let refused = 0;
  const server = createServer((incoming, outgoing) => {
    const isNoted = isHandOver(incoming.method ?? "GET", incoming.url ?? "/");
    forward(incoming, outgoing, targetUrl, isNoted, (status, body) => {
      if (!isNoted) return;
      if (status < 200 || status > 299) refused += 1;
      else for (const eventId of eventIdsOf(body)) acknowledgements.push({ eventId, path, atMs: nowMs() });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    acknowledgements,
    refused: () => refused,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  targetUrl: string,
  keepsBody: boolean,
  onEnd: (status: number, body: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  const { hostname, port } = new URL(targetUrl);
  const options = { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers };
  let isAnswered = false;
  const target = request({ ...options, agent: false }, (answer) => {
    isAnswered = true;
    onEnd(answer.statusCode ?? 0, Buffer.concat(chunks));
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
    answer.on("error", () => outgoing.destroy());
  });
  // A killed part refuses or resets the connection, and its caller must see the same.
  target.on("error", () => {
    if (!isAnswered) onEnd(0, Buffer.alloc(0));
    outgoing.destroy();
  });
  outgoing.on("close", () => target.destroy());
  incoming.on("error", () => target.destroy());
  if (keepsBody) incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.pipe(target);
}

/** A packed message also has readable ids (shared/packed.ts). */
function eventIdsOf(body: Buffer): readonly string[] {
  const { records } = JSON.parse(body.toString()) as { readonly records: readonly { readonly id: string }[] };
  return records.map(({ id }) => id);
}
