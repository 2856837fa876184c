/** Compares the gateway's own list of requests with the events, to find requests without one. */
import { readFile } from "node:fs/promises";
import { parse } from "csv-parse/sync";
import * as z from "zod";
import type { Api } from "../api/client.ts";
import { EventFate } from "../api/events.ts";
import { WrongUse } from "../run/failure.ts";

const Request = z.looseObject({
  request_id: z.string().min(1),
  time: z.string().optional(),
  route: z.string().optional(),
  method: z.string().optional(),
  status: z.coerce.number().optional(),
});
type Request = z.infer<typeof Request>;

const Coverage = z.looseObject({
  operations: z.array(
    z.looseObject({ method: z.string(), path: z.string(), state: z.string(), reason: z.string().optional() }),
  ),
});
const EventPage = z.looseObject({ events: z.array(EventFate) });

/** Parallel lookups. Our choice. */
const LANES = 8;
/** Largest difference between the times of the list and of the event; events are searched by the time of the request. */
const SLACK_MS = 15 * 60_000;

interface RouteGap {
  readonly method: string;
  readonly route: string;
  readonly request_ids: readonly string[];
}

interface RequestCheck {
  readonly requests: number;
  readonly exempt: number;
  /** Requests without an event that are not exempt, by method and route. */
  readonly routes: readonly RouteGap[];
}

interface Period {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/**
 * Asks the worker for the event of each request in the file: JSON lines or CSV, with `request_id` and, if known, `time`, `route`, `method`
 * and `status`. Exempt operations of the coverage file are left out. Throws `WrongUse` if a file cannot be read.
 */
export async function checkRequests(
  api: Api,
  path: string,
  coverage: string | undefined,
  period: Period,
): Promise<RequestCheck> {
  const requests = readRequests(await textOf(path), path);
  const exemptions = coverage === undefined ? new Set<string>() : readExemptions(await textOf(coverage), coverage);
  const asked = requests.filter((request) => !exemptions.has(operationOf(request)));
  const lost: Request[] = [];
  const rest = asked.values();
  const lane = async (): Promise<void> => {
    for (const request of rest) if (!(await hasEvent(api, request, period))) lost.push(request);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { requests: requests.length, exempt: requests.length - asked.length, routes: byRoute(lost) };
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new WrongUse(`"${path}" cannot be read; name a file`, { cause });
  }
}

function readRequests(text: string, path: string): readonly Request[] {
  return rowsOf(text, path).map((row, at) => {
    const fields = Object.entries(row as object).filter(([, value]) => value !== "" && value !== null);
    const request = Request.safeParse(Object.fromEntries(fields));
    if (request.success) return request.data;
    throw new WrongUse(`"${path}" has no valid "${request.error.issues[0]?.path.join(".") ?? ""}" in entry ${at + 1}`);
  });
}

function rowsOf(text: string, path: string): readonly unknown[] {
  try {
    if (!text.trimStart().startsWith("{")) return parse(text, { columns: true, bom: true, skip_empty_lines: true });
    return text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => JSON.parse(line) as unknown);
  } catch (cause) {
    throw new WrongUse(`"${path}" is neither JSON lines nor CSV`, { cause });
  }
}

function readExemptions(text: string, path: string): ReadonlySet<string> {
  const parsed = Coverage.safeParse(jsonOf(text));
  if (!parsed.success) throw new WrongUse(`"${path}" is not a coverage file; "coverage --update" writes one`);
  const exempt = parsed.data.operations.filter(({ state }) => state === "exempt");
  return new Set(exempt.map(({ method, path: route }) => operationOf({ method, route })));
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function operationOf({ method = "", route = "" }: Pick<Request, "method" | "route">): string {
  return `${method.toUpperCase()} ${route}`;
}

async function hasEvent(api: Api, { request_id, time }: Request, period: Period): Promise<boolean> {
  const ms = Date.parse(time ?? "");
  const around = (slackMs: number) => new Date(ms + slackMs).toISOString();
  const span = Number.isNaN(ms) ? period : { since: around(-SLACK_MS), until: around(SLACK_MS) };
  return (await api.get(EventPage, "/api/events", { request_id, ...span })).events.length > 0;
}

function byRoute(requests: readonly Request[]): readonly RouteGap[] {
  const groups = new Map<string, { method: string; route: string; request_ids: string[] }>();
  for (const { method = "-", route = "-", request_id } of requests) {
    const group = groups.get(`${method} ${route}`) ?? { method, route, request_ids: [] };
    group.request_ids.push(request_id);
    groups.set(`${method} ${route}`, group);
  }
  return [...groups.values()].toSorted((one, other) => other.request_ids.length - one.request_ids.length);
}
