/** The worker's log: one line of JSON for each event, never with data of a record. */
import { AuditError } from "../shared/errors.ts";
import type { LOG_EVENTS, Severity } from "./log-events.ts";

type Events = typeof LOG_EVENTS;
type Value = string | number | readonly string[] | undefined;

/** The attributes of a line. Each must be named, so that none is forgotten; JSON omits undefined values. */
export type LogAttributes<Name extends keyof Events> = Readonly<Record<Events[Name]["attributes"][number], Value>>;

/** Cloudflare takes the level of a line from the function that writes it. */
const WRITERS = { INFO: "log", WARN: "warn", ERROR: "error" } as const;

/** Writes one line; `worker/log-events.ts` lists all lines. */
export function log<Name extends keyof Events>(
  name: Name,
  severity: Severity & Events[Name]["severities"][number],
  attributes: LogAttributes<Name>,
): void {
  console[WRITERS[severity]](JSON.stringify({ "event.name": name, severity_text: severity, ...attributes }));
}

/** Logs what failed and the error's name, never its message, which may hold data. */
export function logFailure(where: { readonly route?: string; readonly task?: string }, error: unknown): void {
  const type = error instanceof AuditError ? error.code : error instanceof Error ? error.name : "unknown";
  log("audit.failure", "ERROR", { "http.route": where.route, "audit.task": where.task, "error.type": type });
}
