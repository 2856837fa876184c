import type { App } from "../app.ts";
import { ApiError } from "../errors.ts";
import type { Reply, Request, Route } from "../http.ts";
import { addEvent } from "../store/events.ts";
import { endMessage, openMessage } from "../store/messages.ts";
import { COMMON_FIELDS, HOST_AND_PATH, readFilters, readIds, readNumber } from "./filters.ts";
import { messageShape } from "./shapes.ts";

/** SQLite's LIMIT for "all rows" (sqlite.org/lang_select.html#the_limit_clause). */
const NO_LIMIT = -1;

/** Messages that have not ended: get one, cancel one or many. */
export function messageRoutes(app: App): Route[] {
  return [
    { method: "GET", path: /^\/v2\/messages\/([^/]+)$/, group: "listing", run: (_, id = "") => get(app, id) },
    { method: "DELETE", path: /^\/v2\/messages\/([^/]+)$/, group: "messages", run: (_, id = "") => cancelOne(app, id) },
    { method: "DELETE", path: /^\/v2\/messages$/, group: "messages", run: (request) => cancelMany(app, request) },
  ];
}

function get(app: App, id: string): Reply {
  const message = openMessage(app.database, id);
  if (message === undefined) throw notFound(id);
  return { status: 200, json: messageShape(message) };
}

async function cancelOne(app: App, id: string): Promise<Reply> {
  const cancelled = await cancel(app, "AND id = ?", [id]);
  if (cancelled === 0) throw notFound(id);
  return { status: 202, json: { cancelled } };
}

/**
 * Cancels by ids, by filters, or, with neither, all messages. `count` limits the last two, oldest first.
 *
 * The SDK sends `count=100` unless the caller names another number.
 */
async function cancelMany(app: App, request: Request): Promise<Reply> {
  const ids = readIds(request.query, "messageIds", "messageId");
  const count = ids ? undefined : readNumber(request.query, "count");
  const filter = ids
    ? { sql: " AND id IN (SELECT value FROM json_each(?))", values: [JSON.stringify(ids)] }
    : readFilters(request.query, { ...COMMON_FIELDS, ...HOST_AND_PATH }, "message.created_at");
  return { status: 202, json: { cancelled: await cancel(app, filter.sql, filter.values, count) } };
}

async function cancel(app: App, where: string, values: (string | number)[], most?: number): Promise<number> {
  const { database } = app;
  const count = await database.write(() => {
    const now = app.clock.now();
    const found = database.all<{ seq: number }>(
      `SELECT seq FROM message WHERE ended_at IS NULL ${where} ORDER BY seq LIMIT ?`,
      ...values,
      most ?? NO_LIMIT,
    );
    for (const { seq } of found) {
      addEvent(database, { messageSeq: seq, time: now, state: "CANCEL_REQUESTED" });
      endMessage(database, seq, "cancelled", now);
      addEvent(database, { messageSeq: seq, time: now, state: "CANCELLED" });
    }
    return found.length;
  });
  app.scheduler.wake();
  return count;
}

function notFound(id: string): ApiError {
  return new ApiError(404, `message ${id} not found`);
}
