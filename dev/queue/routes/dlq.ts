import { accept } from "../intake.ts";
import type { App } from "../app.ts";
import { canonicalHeader } from "../delivery/callbacks.ts";
import { ApiError } from "../errors.ts";
import type { Reply, Request, Route } from "../http.ts";
import { parseOptions, type Options } from "../options.ts";
import { toMessage, type MessageRow } from "../store/messages.ts";
import { COMMON_FIELDS, readCount, readFilters, readIds, type FilterFields } from "./filters.ts";
import { bodyShape, messageShape } from "./shapes.ts";

/** Most entries on a page of the dead-letter queue (upstash.com/docs/qstash/api-reference/dlq). */
const PAGE = 100;
const FIELDS: FilterFields = {
  ...COMMON_FIELDS,
  messageId: { column: "message.id" },
  responseStatus: { column: "message.response_status", isNumber: true },
};

interface DeadRow extends MessageRow {
  ended_at: number;
  dlq_seq: number;
  response_status: number | null;
  response_header: string | null;
  response_body: Uint8Array | null;
}

/** The dead-letter queue, oldest first. */
export function dlqRoutes(app: App): Route[] {
  return [
    { method: "GET", path: /^\/v2\/dlq$/, group: "listing", run: (request) => listPage(app, request) },
    { method: "GET", path: /^\/v2\/dlq\/([^/]+)$/, group: "listing", run: (_, id = "") => get(app, id) },
    { method: "DELETE", path: /^\/v2\/dlq$/, group: "dlq", run: (request) => removeMany(app, request) },
    { method: "DELETE", path: /^\/v2\/dlq\/([^/]+)$/, group: "dlq", run: (_, id = "") => removeOne(app, id) },
    { method: "POST", path: /^\/v2\/dlq\/retry$/, group: "dlq", run: (request) => retryMany(app, request) },
    {
      method: "POST",
      path: /^\/v2\/dlq\/retry\/([^/]+)$/,
      group: "dlq",
      run: (request, id = "") => retryOne(app, request, id),
    },
  ];
}

function listPage(app: App, request: Request): Reply {
  const { rows, cursor } = select(app, request.query);
  return { status: 200, json: { messages: rows.map(deadShape), ...(cursor ? { cursor } : {}) } };
}

function get(app: App, id: string): Reply {
  return { status: 200, json: deadShape(find(app, id)) };
}

async function removeOne(app: App, id: string): Promise<Reply> {
  await app.database.write(() => remove(app, find(app, id)));
  return { status: 200 };
}

async function removeMany(app: App, request: Request): Promise<Reply> {
  const { rows, cursor } = select(app, request.query);
  await app.database.write(() => rows.forEach((row) => remove(app, row)));
  return { status: 200, json: { deleted: rows.length, ...(cursor ? { cursor } : {}) } };
}

async function retryOne(app: App, request: Request, id: string): Promise<Reply> {
  const [response] = await retry(app, request, [find(app, id)]);
  return { status: 201, json: response };
}

async function retryMany(app: App, request: Request): Promise<Reply> {
  const ids = readIds(request.query, "dlqIds", "dlqId");
  const { rows, cursor } = select(app, request.query);
  if (ids !== undefined && rows.length < ids.length) throw new ApiError(404, "some messages were not found in the dlq");
  return { status: 201, json: { cursor: cursor ?? "", responses: await retry(app, request, rows) } };
}

/**
 * Each entry becomes a new message with the old body and headers; configuration headers of this request override the old ones. The
 * deduplication id is not applied again, because it would drop the retry.
 */
async function retry(app: App, request: Request, rows: DeadRow[]): Promise<{ messageId: string }[]> {
  const { "content-type": _, ...headers } = request.headers;
  const overrides = parseOptions(headers, app.limits);
  const responses = await app.database.write(() =>
    rows.map((row) => {
      const old = toMessage(row);
      remove(app, row);
      return accept(app, { ...old, options: merge(old.options, overrides) });
    }),
  );
  app.scheduler.wake();
  return responses;
}

function merge(old: Options, overrides: Options): Options {
  const { deduplicationId: _id, contentBasedDeduplication: _content, delayMs: _delay, notBefore: _at, ...kept } = old;
  return { ...kept, ...overrides, header: { ...old.header, ...overrides.header } };
}

function remove(app: App, row: DeadRow): void {
  app.database.run("UPDATE message SET dlq_seq = NULL WHERE seq = ?", row.seq);
}

function find(app: App, id: string): DeadRow {
  const row = byId(app, id);
  if (row === undefined) throw new ApiError(404, `message ${id} not found in the dlq`);
  return row;
}

function byId(app: App, id: string): DeadRow | undefined {
  app.scheduler.tidy();
  const [, time, seq] = /^(\d{1,15})-(\d{1,15})$/.exec(id) ?? [];
  if (time === undefined || seq === undefined) return undefined;
  const sql = "SELECT * FROM message WHERE dlq_seq = ? AND ended_at = ?";
  return app.database.one<DeadRow>(sql, Number(seq), Number(time));
}

/** The entries named by `dlqIds`, or one page of those that match the filters. */
function select(app: App, query: URLSearchParams): { rows: DeadRow[]; cursor?: string } {
  const ids = readIds(query, "dlqIds", "dlqId");
  if (ids !== undefined) return { rows: ids.map((id) => byId(app, id)).filter((row) => row !== undefined) };
  for (const name of ["host", "path"]) {
    if (query.has(name)) throw new ApiError(400, `filter ${name} is not supported for the dlq`);
  }
  app.scheduler.tidy();
  const count = readCount(query, PAGE);
  const filter = readFilters(query, FIELDS, "message.ended_at");
  const rows = app.database.all<DeadRow>(
    `SELECT * FROM message WHERE dlq_seq > ?${filter.sql} ORDER BY dlq_seq LIMIT ?`,
    readCursor(query),
    ...filter.values,
    count + 1,
  );
  if (rows.length <= count) return { rows };
  rows.pop();
  return { rows, cursor: dlqId(rows.at(-1) as DeadRow) };
}

function readCursor(query: URLSearchParams): number {
  const cursor = query.get("cursor");
  if (!cursor) return 0;
  const seq = /^\d{1,15}-(\d{1,15})$/.exec(cursor)?.[1];
  if (seq === undefined) throw new ApiError(400, "invalid cursor");
  return Number(seq);
}

function dlqId(row: DeadRow): string {
  return `${row.ended_at}-${row.dlq_seq}`;
}

function deadShape(row: DeadRow): Record<string, unknown> {
  return {
    ...messageShape(toMessage(row)),
    dlqId: dlqId(row),
    ...(row.response_status === null ? {} : { responseStatus: row.response_status }),
    ...(row.response_header === null
      ? {}
      : { responseHeader: canonicalHeader(JSON.parse(row.response_header) as Record<string, string[]>) }),
    ...bodyShape("responseBody", row.response_body ?? new Uint8Array()),
  };
}
