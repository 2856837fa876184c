import * as z from "zod";
import { accept, check, isUrlGroupName, type Accepted } from "../intake.ts";
import type { App } from "../app.ts";
import { ApiError } from "../errors.ts";
import { decodePart, type Reply, type Request, type Route } from "../http.ts";
import { parseOptions, type Headers } from "../options.ts";
import type { NewMessage } from "../store/messages.ts";
import { findUrlGroup } from "../store/url-groups.ts";
import { parseJson } from "./body.ts";
import { checkOffered } from "./not-offered.ts";

const elementSchema = z.object({
  destination: z.string(),
  headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
  body: z.string().optional(),
  queue: z.string().optional(),
});

/** The answer to a publish to a URL group: one entry for each endpoint. */
type GroupAccepted = (Accepted & { url: string })[];

/** Publish, enqueue and batch, to a URL or to a URL group. */
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
  const headers = { ...configuration, ...request.headers };
  const messages = messagesFor(app, url, { headers, body: request.body, queueName, callerIp: request.ip });
  const accepted = await app.database.write(() => acceptAll(app, messages));
  app.scheduler.wake();
  return { status: [accepted].flat().every((one) => one.deduplicated) ? 202 : 200, json: accepted };
}

interface Publish {
  headers: Headers;
  body: Uint8Array;
  queueName: string | undefined;
  callerIp: string;
}

/** One checked message for a URL, or a list with one for each endpoint of a URL group. */
function messagesFor(app: App, to: string, publish: Publish): NewMessage | NewMessage[] {
  checkOffered(publish.headers);
  const { headers, ...rest } = publish;
  const options = parseOptions(headers, app.limits);
  const group = isUrlGroupName(to) ? findUrlGroup(app.database, to) : undefined;
  const messages = group?.endpoints.map(({ name, url }) => ({
    ...rest,
    url,
    options,
    urlGroup: { name: group.name, endpointName: name },
  }));
  for (const message of messages ?? [{ ...rest, url: to, options }]) check(app, message);
  return messages ?? { ...rest, url: to, options };
}

/** Accepts what {@link messagesFor} returned, in the same form. Call it inside a write. */
function acceptAll(app: App, messages: NewMessage | NewMessage[]): Accepted | GroupAccepted {
  if (!Array.isArray(messages)) return accept(app, messages);
  return messages.map((message) => Object.assign(accept(app, message), { url: message.url }));
}

/**
 * Splits the part after `/v2/publish/`: the destination is there verbatim, or percent-encoded by some clients; its query is the
 * request's, without QStash's own parameters.
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

/** Each element is accepted or refused separately; the answer is always 200. */
async function batch(app: App, request: Request): Promise<Reply> {
  const elements = z.array(z.unknown()).safeParse(parseJson(request.body));
  if (!elements.success) throw new ApiError(400, "invalid batch: the body must be a JSON array of messages");
  const checked = elements.data.map((element) => refusable(() => readElement(app, element, request.ip)));
  const json = await app.database.write(() =>
    checked.map((messages): Accepted | GroupAccepted | { error: string } =>
      "error" in messages ? messages : acceptAll(app, messages),
    ),
  );
  app.scheduler.wake();
  return { status: 200, json };
}

function readElement(app: App, element: unknown, callerIp: string): NewMessage | NewMessage[] {
  const parsed = elementSchema.safeParse(element);
  if (!parsed.success) throw new ApiError(400, "invalid message: needs a destination, headers and a body in text");
  const headers: Headers = {};
  for (const [name, value] of Object.entries(parsed.data.headers ?? {})) headers[name.toLowerCase()] = [value].flat();
  const { destination: to, body = "", queue: queueName } = parsed.data;
  return messagesFor(app, to, { headers, body: Buffer.from(body), queueName, callerIp });
}

function refusable<T>(make: () => T): T | { error: string } {
  try {
    return make();
  } catch (error) {
    if (error instanceof ApiError) return { error: error.message };
    throw error;
  }
}
