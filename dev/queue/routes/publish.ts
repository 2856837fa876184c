import * as z from "zod";
import { accept, check, type Accepted } from "../accept.ts";
import type { App } from "../app.ts";
import { ApiError } from "../errors.ts";
import { decodePart, type Reply, type Request, type Route } from "../http.ts";
import { parseOptions, type Headers } from "../options.ts";
import type { NewMessage } from "../store/messages.ts";
import { parseJson } from "./body.ts";

const elementSchema = z.object({
  destination: z.string(),
  headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
  body: z.string().optional(),
  queue: z.string().optional(),
});

/** Publish, enqueue and batch. */
export function publishRoutes(app: App): Route[] {
  return [
    {
      method: "POST",
      path: /^\/v2\/publish\/.+$/,
      group: "publish",
      run: (request) => publish(app, request, request.path.slice("/v2/publish/".length)),
    },
    {
      method: "POST",
      path: /^\/v2\/enqueue\/([^/]+)\/.+$/,
      group: "publish",
      run: (request, queueName) => {
        const rest = request.path.slice("/v2/enqueue/".length);
        return publish(app, request, rest.slice(rest.indexOf("/") + 1), queueName);
      },
    },
    { method: "POST", path: /^\/v2\/batch$/, group: "publish", run: (request) => batch(app, request) },
  ];
}

async function publish(app: App, request: Request, path: string, queueName?: string): Promise<Reply> {
  const { url, configuration } = destination(path, request.search);
  const options = parseOptions({ ...configuration, ...request.headers }, app.limits);
  const message: NewMessage = { url, options, body: request.body, queueName, callerIp: request.ip };
  check(app, message);
  const accepted = await app.database.write(() => accept(app, message));
  app.scheduler.wake();
  return { status: accepted.deduplicated ? 202 : 200, json: accepted };
}

/**
 * Splits what follows `/v2/publish/`: the destination stands there as it is, or percent-encoded as some clients do; its
 * query is the request's, less QStash's own parameters.
 */
function destination(path: string, search: string): { url: string; configuration: Headers } {
  const configuration: Headers = {};
  const kept: string[] = [];
  for (const part of search.slice(1).split("&")) {
    const [name = "", value = ""] = [...new URLSearchParams(part)][0] ?? [];
    if (name.startsWith("upstash-")) configuration[name] = [value];
    else if (name !== "qstash_token" && part !== "") kept.push(part);
  }
  const base = /^https?%3a/i.test(path) ? decodePart(path) : path;
  return { url: kept.length === 0 ? base : `${base}?${kept.join("&")}`, configuration };
}

/** Each element is taken or refused on its own, and the answer is 200 either way. */
async function batch(app: App, request: Request): Promise<Reply> {
  const elements = z.array(z.unknown()).safeParse(parseJson(request.body));
  if (!elements.success) throw new ApiError(400, "invalid batch: the body must be a JSON array of messages");
  const checked = elements.data.map((element) => refusable(() => readElement(app, element, request.ip)));
  const json = await app.database.write(() =>
    checked.map((message): Accepted | { error: string } => ("error" in message ? message : accept(app, message))),
  );
  app.scheduler.wake();
  return { status: 200, json };
}

function readElement(app: App, element: unknown, callerIp: string): NewMessage {
  const parsed = elementSchema.safeParse(element);
  if (!parsed.success) throw new ApiError(400, "invalid message: needs a destination, headers and a body in text");
  const headers: Headers = {};
  for (const [name, value] of Object.entries(parsed.data.headers ?? {})) headers[name.toLowerCase()] = [value].flat();
  const message: NewMessage = {
    url: parsed.data.destination,
    options: parseOptions(headers, app.limits),
    body: Buffer.from(parsed.data.body ?? ""),
    queueName: parsed.data.queue,
    callerIp,
  };
  check(app, message);
  return message;
}

function refusable<T>(make: () => T): T | { error: string } {
  try {
    return make();
  } catch (error) {
    if (error instanceof ApiError) return { error: error.message };
    throw error;
  }
}
