import type { App } from "../app.ts";
import { canonicalHeader } from "../delivery/callbacks.ts";
import { ApiError } from "../errors.ts";
import type { Reply, Request, Route } from "../http.ts";
import { DEFAULT_RETRIES, toMessage, type MessageRow } from "../store/messages.ts";
import { COMMON_FIELDS, HOST_AND_PATH, readCount, readFilters, readIds } from "./filters.ts";
import { groupShape, shownBody, shownHeader } from "./shapes.ts";

/** The API description says 100, the SDK's comment 1,000. */
const LARGEST_PAGE = 1000;
const PAGE = 100;

interface EventRow extends MessageRow {
  event_seq: number;
  time: number;
  state: string;
  next_delivery: number | null;
  error: string | null;
  response_status: number | null;
  response_header: string | null;
  response_body: Uint8Array | null;
}

/** The log, newest first: `/v2/events` in the SDK, `/v2/logs` in the docs. */
export function eventRoutes(app: App): Route[] {
  return (["events", "logs"] as const).map((name) => ({
    method: "GET",
    path: new RegExp(`^/v2/${name}$`),
    group: "listing",
    run: (request) => listPage(app, request, name),
  }));
}

function listPage(app: App, request: Request, name: string): Reply {
  const { query } = request;
  app.scheduler.tidy();
  const count = readCount(query, LARGEST_PAGE, PAGE);
  const filter = readFilters(query, { ...COMMON_FIELDS, ...HOST_AND_PATH }, "event.time");
  const ids = readIds(query, "messageIds", "messageId");
  const states = readStates(query);
  const rows = app.database.all<EventRow>(
    `SELECT event.seq AS event_seq, event.time, event.state, event.next_delivery, event.error, event.response_status,
       event.response_header, event.response_body, message.seq, message.id, message.lane, message.retried, message.url,
       message.queue, message.url_group, message.endpoint_name, message.caller_ip, message.created_at, message.not_before, message.options, message.body
     FROM event JOIN message ON message.seq = event.message_seq
     WHERE event.seq < ?
       ${ids ? "AND event.message_seq IN (SELECT seq FROM message WHERE id IN (SELECT value FROM json_each(?)))" : ""}
       ${states ? "AND event.state IN (SELECT value FROM json_each(?))" : ""}
       ${filter.sql} ORDER BY event.seq DESC LIMIT ?`,
    readCursor(query),
    ...(ids ? [JSON.stringify(ids)] : []),
    ...(states ? [JSON.stringify(states)] : []),
    ...filter.values,
    count + 1,
  );
  const page = rows.slice(0, count);
  const cursor = rows.length > count ? String(page.at(-1)?.event_seq) : undefined;
  return { status: 200, json: { [name]: page.map(eventShape), ...(cursor ? { cursor } : {}) } };
}

function readStates(query: URLSearchParams): string[] | undefined {
  return readIds(query, "state")?.flatMap((state) => {
    if (state === "IN_PROGRESS") return ["ACTIVE", "RETRY", "ERROR"];
    // The SDK's type spells it with one L.
    return state === "CANCELED" ? ["CANCELLED"] : [state];
  });
}

function readCursor(query: URLSearchParams): number {
  const cursor = query.get("cursor");
  if (!cursor) return Number.MAX_SAFE_INTEGER;
  if (!/^\d{1,15}$/.test(cursor)) throw new ApiError(400, "invalid cursor");
  return Number(cursor);
}

function eventShape(row: EventRow): Record<string, unknown> {
  const message = toMessage(row);
  const { options } = message;
  return {
    time: row.time,
    messageId: message.id,
    state: row.state,
    url: message.url,
    ...groupShape(message),
    method: options.method ?? "POST",
    header: shownHeader(message),
    body: Buffer.from(shownBody(message)).toString("base64"),
    error: row.error ?? undefined,
    nextDeliveryTime: row.next_delivery ?? undefined,
    queueName: message.queueName ?? undefined,
    ...answerShape(row),
    timeout: options.timeoutMs,
    callback: options.callback?.url,
    callbackHeaders: options.callback?.options.header,
    failureCallback: options.failureCallback?.url,
    failureCallbackHeaders: options.failureCallback?.options.header,
    maxRetries: options.retries ?? DEFAULT_RETRIES,
    retryDelayExpression: options.retryDelay,
    flowControlKey: options.flowControl?.key,
    label: options.labels?.[0],
    labels: options.labels,
  };
}

/** The destination's answer, which the log includes only for failed attempts. */
function answerShape(row: EventRow): Record<string, unknown> {
  if (row.state !== "ERROR" || row.response_status === null) return {};
  return {
    responseStatus: row.response_status,
    responseHeaders: canonicalHeader(JSON.parse(row.response_header ?? "{}") as Record<string, string[]>),
    responseBody: Buffer.from(row.response_body ?? "").toString("base64"),
  };
}
