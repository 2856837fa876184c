import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Client } from "@upstash/qstash";
import {
  createMovableClock,
  startQueue,
  type MovableClock,
  type Queue,
  type QueueOptions,
} from "../../../dev/queue/server.ts";

export interface Received {
  path: string;
  method: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

/** A destination that remembers what it got and answers as it is told. */
export interface Receiver {
  url: string;
  received: Received[];
  /** What it got on one path, in order. */
  at(path: string): Received[];
  /** How it answers from now on; may wait, or never answer. */
  answer: (request: Received) => Answer | Promise<Answer>;
  /** Requests being answered at this moment, and the most there ever were. */
  open: number;
  mostOpen: number;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const received = {
        path: request.url ?? "",
        method: request.method ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks),
      };
      receiver.received.push(received);
      receiver.open += 1;
      receiver.mostOpen = Math.max(receiver.mostOpen, receiver.open);
      void answer(received, response);
    });
  });
  async function answer(received: Received, response: ServerResponse): Promise<void> {
    const { status = 200, headers = {}, body = "" } = await receiver.answer(received);
    receiver.open -= 1;
    response.writeHead(status, headers).end(body);
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    at: (path) => receiver.received.filter((request) => request.path === path),
    answer: () => ({}),
    open: 0,
    mostOpen: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

export interface Stage {
  queue: Queue;
  clock: MovableClock;
  client: Client;
  receiver: Receiver;
  /** Sends a raw request to the queue with the right token. */
  call(
    method: string,
    path: string,
    init?: { headers?: Record<string, string>; body?: string | Uint8Array },
  ): Promise<Reply>;
  close(): Promise<void>;
}

interface Reply {
  status: number;
  headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  json: any;
}

/** A queue on a clock that stands still, the official client for it, and a destination. */
export async function openStage(options: Partial<QueueOptions> = {}): Promise<Stage> {
  const clock = createMovableClock({ frozen: true });
  const receiver = await startReceiver();
  const queue = await startQueue({ path: ":memory:", clock, ...options });
  const client = clientFor(queue);
  return {
    queue,
    clock,
    client,
    receiver,
    call: (method, path, init = {}) => call(queue, method, path, init),
    async close() {
      await queue.stop();
      await receiver.close();
    },
  };
}

export function clientFor(queue: Pick<Queue, "url" | "token">): Client {
  return new Client({ baseUrl: queue.url, token: queue.token, devMode: false, retry: false, enableTelemetry: false });
}

export async function call(
  queue: Pick<Queue, "url" | "token">,
  method: string,
  path: string,
  init: { headers?: Record<string, string>; body?: string | Uint8Array } = {},
): Promise<Reply> {
  const response = await fetch(queue.url + path, {
    method,
    headers: { authorization: `Bearer ${queue.token}`, ...init.headers },
    ...(init.body === undefined ? {} : { body: init.body }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type") === "application/json";
  return { status: response.status, headers: response.headers, json: isJson ? JSON.parse(text) : text };
}

/** Resolves once `reached` holds; the test's own limit ends it otherwise. */
export async function until(reached: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await reached())) await new Promise((resolve) => setTimeout(resolve, 5));
}
