import * as http from "node:http";
import * as https from "node:https";
import type { Answer } from "../store/events.ts";

export interface Delivery {
  url: string;
  method: string;
  header: Record<string, string[]>;
  body: Uint8Array;
  /** Milliseconds until the attempt is aborted. */
  timeoutMs: number;
}

/** The result of one attempt: the destination's answer, or why there was none. */
export type Outcome = { answer: Answer; error?: never } | { answer?: never; error: string };

export interface Sender {
  send(delivery: Delivery): Promise<Outcome>;
  /** Aborts all attempts under way; they report an error that must not be counted. */
  close(): void;
}

/** Sends deliveries over kept-alive connections. Does not follow redirects, and cuts an answer's body at `maxBytes`. */
export function createSender(maxBytes: number): Sender {
  const plain = new http.Agent({ keepAlive: true });
  const secure = new https.Agent({ keepAlive: true });
  const stopping = new AbortController();

  async function send(delivery: Delivery): Promise<Outcome> {
    const signal = AbortSignal.any([AbortSignal.timeout(delivery.timeoutMs), stopping.signal]);
    try {
      const request = open(delivery, signal);
      request.end(delivery.body.byteLength > 0 || delivery.method !== "GET" ? delivery.body : undefined);
      const response = await answered(request);
      return { answer: await read(response, maxBytes) };
    } catch (error) {
      return { error: signal.aborted ? "timeout" : describe(error) };
    }
  }

  function open(delivery: Delivery, signal: AbortSignal): http.ClientRequest {
    const isSecure = delivery.url.slice(0, 6).toLowerCase() === "https:";
    const header: http.OutgoingHttpHeaders = { ...delivery.header };
    if (delivery.body.byteLength > 0 || delivery.method !== "GET") header["Content-Length"] = delivery.body.byteLength;
    return (isSecure ? https : http).request(delivery.url, {
      method: delivery.method,
      headers: header,
      agent: isSecure ? secure : plain,
      signal,
    });
  }

  return {
    send,
    close() {
      stopping.abort();
      plain.destroy();
      secure.destroy();
    },
  };
}

function answered(request: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
}

async function read(response: http.IncomingMessage, maxBytes: number): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (size < maxBytes) chunks.push(chunk.subarray(0, maxBytes - size));
    size += chunk.byteLength;
  }
  const header: Record<string, string[]> = {};
  for (const [name, values] of Object.entries(response.headersDistinct)) header[name] = values ?? [];
  return { status: response.statusCode ?? 0, header, body: Buffer.concat(chunks) };
}

function describe(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? message : `${code}: ${message}`;
}
