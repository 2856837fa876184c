/** An origin that keeps the bytes of each request as they came, and a client that sends and gets bytes as they are. */
import { connect, createServer, type Socket } from "node:net";
import { gzipSync, brotliCompressSync } from "node:zlib";

interface SeenRequest {
  /** The bytes of the connection, each byte one character. */
  bytes: string;
  isClosed: boolean;
}

export interface RawOrigin {
  readonly url: string;
  /** Sends the rest of the answers that wait with `x-answer: slow` or `events`. */
  finish(): void;
  /** The connections on which a request with this `x-case` came. */
  of(id: string): readonly SeenRequest[];
  close(): Promise<void>;
}

const JSON_BODY = '{"id":"thing_9","name":"café"}';

interface Answer {
  readonly headers: string;
  readonly body: Buffer;
}

const JSON_ANSWER: Answer = { headers: "content-type: application/json", body: Buffer.from(JSON_BODY) };

/** What the origin answers to `x-answer`; the default is `json`. To `none` it answers nothing. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  json: JSON_ANSWER,
  gzip: { headers: "content-type: application/json\r\ncontent-encoding: gzip", body: gzipSync(JSON_BODY) },
  br: { headers: "content-type: application/json\r\ncontent-encoding: br", body: brotliCompressSync(JSON_BODY) },
  latin1: { headers: "content-type: application/json; charset=latin1", body: Buffer.from(JSON_BODY, "latin1") },
  slow: JSON_ANSWER,
  events: { headers: "content-type: text/event-stream", body: Buffer.from(`data: ${JSON_BODY}\n\n`) },
  text: { headers: "content-type: text/plain\r\nx-odd: a, b", body: Buffer.from("no JSON") },
};

/** Each answer closes its connection, because workerd ends an aborted body properly on a connection that it has used before. */
export async function startRawOrigin(): Promise<RawOrigin> {
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let unfinished: (() => void)[] = [];
  const server = createServer((socket) => {
    const one: SeenRequest = { bytes: "", isClosed: false };
    seen.push(one);
    sockets.add(socket);
    socket.on("data", (bytes) => {
      one.bytes += bytes.toString("latin1");
      if (isComplete(one.bytes)) unfinished.push(answer(socket, one.bytes));
    });
    socket.on("error", () => undefined);
    socket.on("end", () => (one.isClosed = true));
    socket.on("close", () => {
      one.isClosed = true;
      sockets.delete(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    finish() {
      for (const end of unfinished) end();
      unfinished = [];
    },
    of: (id) => seen.filter(({ bytes }) => headerOf(bytes, "x-case") === id),
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Answers, all but the last part of an answer that waits; the returned function sends that. */
function answer(socket: Socket, request: string): () => void {
  const kind = headerOf(request, "x-answer") ?? "json";
  if (kind === "none") return () => undefined;
  const { headers, body } = ANSWERS[kind] ?? JSON_ANSWER;
  const isChunked = headerOf(request, "x-framing") === "chunked";
  const framing = isChunked ? "transfer-encoding: chunked" : `content-length: ${body.length}`;
  socket.write(`HTTP/1.1 200 OK\r\n${headers}\r\nconnection: close\r\n${framing}\r\n\r\n`);
  if (request.startsWith("HEAD ")) return end(socket);
  const framed = (part: Buffer) =>
    isChunked ? Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]) : part;
  socket.write(framed(body.subarray(0, 5)));
  const finish = () => {
    socket.write(framed(body.subarray(5)));
    socket.end(isChunked ? "0\r\n\r\n" : "");
  };
  if (kind === "slow" || kind === "events") return finish;
  finish();
  return () => undefined;
}

function end(socket: Socket): () => void {
  socket.end();
  return () => undefined;
}

/** Head and body of a message, its chunks joined; `isWhole` as its framing says. */
export function readMessage(bytes: string): { head: string; body: string; isWhole: boolean } {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return { head: bytes, body: "", isWhole: false };
  const head = bytes.slice(0, end);
  const rest = bytes.slice(end + 4);
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) {
    const length = Number(headerOf(bytes, "content-length") ?? 0);
    return { head, body: rest, isWhole: rest.length >= length };
  }
  let body = "";
  for (let at = 0; ;) {
    const [line, size] = /^([0-9a-f]+)\r\n/i.exec(rest.slice(at, at + 20)) ?? [];
    if (line === undefined) return { head, body, isWhole: false };
    const length = Number.parseInt(size ?? "", 16);
    if (length === 0) return { head, body, isWhole: true };
    body += rest.slice(at + line.length, at + line.length + length);
    at += line.length + length + 2;
  }
}

function isComplete(bytes: string): boolean {
  return readMessage(bytes).isWhole;
}

/** An answer without a framing ends with its connection. */
function isFramedAndWhole(bytes: string): boolean {
  const { head, isWhole } = readMessage(bytes);
  return isWhole && /\r\n(content-length|transfer-encoding):/i.test(head);
}

function headerOf(bytes: string, name: string): string | undefined {
  return new RegExp(`\\r\\n${name}: *([^\\r]*)\\r`, "i").exec(bytes)?.[1];
}

/** How a client ends: after the answer, or while its body is on the way. */
export type Ending = "complete" | "close" | "reset" | "half-close";

interface RawRequest {
  readonly port: number;
  readonly head: string;
  /** Sent one after the other. An aborted request ends after the first of them has arrived. */
  readonly parts: readonly string[];
  readonly ending: Ending;
  /** Settles when the first part has arrived. */
  readonly arrived: () => Promise<void>;
  /** Told the bytes of the answer as they come. */
  readonly onBytes?: (bytes: string) => void;
}

/** Sends a request and gives the bytes of the answer; none where the request is aborted. */
export function sendRaw({ port, head, parts, ending, arrived, onBytes }: RawRequest): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  const answered = Promise.withResolvers<void>();
  socket.on("data", (bytes) => {
    received += bytes.toString("latin1");
    onBytes?.(received);
    if (head.startsWith("HEAD ") ? received.includes("\r\n\r\n") : isFramedAndWhole(received)) answered.resolve();
  });
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.on("error", () => undefined);
  const [first = "", ...rest] = parts;
  socket.write(head + first, "latin1");
  const finish = async () => {
    if (ending === "complete") {
      for (const part of rest) socket.write(part, "latin1");
      // The gateway keeps the connection open for some seconds.
      await Promise.race([closed, answered.promise]);
      socket.destroy();
      return received;
    }
    await arrived();
    if (ending === "close") socket.destroy();
    else if (ending === "reset") socket.resetAndDestroy();
    else socket.end();
    if (ending !== "half-close") await closed;
    return "";
  };
  return finish();
}
