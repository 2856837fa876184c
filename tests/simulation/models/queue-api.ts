/** QStash's HTTP API in front of the model: what the policy and the worker use of it. */
import type { HttpReply, HttpRequest, Server } from "../network.ts";
import type { DeadMessage, Message, Queue } from "./queue.ts";

const PAGE = 100;

interface BatchElement {
  readonly destination: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `spoil` answers instead of the queue. */
export function queueApi(queue: Queue, spoil: () => HttpReply | undefined): Server {
  return (request) => Promise.resolve(spoil() ?? route(queue, request));
}

function route(queue: Queue, { method, url, headers, body }: HttpRequest): HttpReply {
  const { pathname, searchParams } = new URL(url);
  if (pathname.startsWith("/v2/publish/")) {
    const destination = url.slice(url.indexOf("/v2/publish/") + "/v2/publish/".length);
    return published(queue.publish({ url: destination, headers, body }));
  }
  if (pathname === "/v2/batch") {
    const elements = JSON.parse(body) as readonly BatchElement[];
    return json(elements.map((element) => queue.publish({ ...element, url: element.destination })));
  }
  if (pathname === "/v2/dlq" && method === "GET") return json(pageOf(queue, searchParams));
  if (pathname === "/v2/dlq" && method === "DELETE") {
    queue.removeDead(searchParams.getAll("dlqIds"));
    return json({ deleted: searchParams.getAll("dlqIds").length });
  }
  if (pathname === "/v2/events") return json(logOf(queue, searchParams));
  if (pathname === "/v2/flowControl") return json(queue.flowKeys());
  const [, key, action] = /^\/v2\/flowControl\/([^/]+)(?:\/(pause|resume))?$/.exec(pathname) ?? [];
  if (key === undefined) return json({ error: "not found" }, 404);
  if (action === "pause") queue.pausedKeys.add(key);
  if (action === "resume") queue.resume(key);
  return json({ flowControlKey: key, isPaused: queue.pausedKeys.has(key) });
}

function logOf(queue: Queue, query: URLSearchParams) {
  const from = Number(query.get("cursor") ?? 0);
  const untilIndex = from + Number(query.get("count"));
  const events = queue.log(from, untilIndex).map(entryOf);
  return { events, ...(queue.log(untilIndex, untilIndex + 1).length > 0 ? { cursor: String(untilIndex) } : {}) };
}

function entryOf({ id, url, body, retried }: Message) {
  const state = retried === 0 ? "CREATED" : "ERROR";
  return { messageId: id, state, url, body: Buffer.from(body).toString("base64") };
}

function published({ messageId, deduplicated }: { messageId: string; deduplicated: boolean }): HttpReply {
  return deduplicated ? json({ messageId, deduplicated }, 202) : json({ messageId });
}

function pageOf(queue: Queue, query: URLSearchParams) {
  const from = Number(query.get("cursor") ?? 0);
  const found = queue.listDead().filter(({ message }) => message.label === query.get("label"));
  const page = found.slice(from, from + PAGE);
  return {
    messages: page.map(shape),
    ...(found.length > from + PAGE ? { cursor: String(from + PAGE) } : {}),
  };
}

function shape({ dlqId, message, status }: DeadMessage) {
  const { id, url, body, createdMs, retries, label } = message;
  return { dlqId, messageId: id, url, body, createdAt: createdMs, maxRetries: retries, label, responseStatus: status };
}

function json(body: unknown, status = 200): HttpReply {
  return { status, text: JSON.stringify(body), headers: { "content-type": "application/json" } };
}
