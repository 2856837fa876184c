/** Writes events as exports, in several layouts. WorkOS documents none. */
import type { EventBody } from "../../shared/event.ts";
import { canonicalOf } from "./evidence.ts";

type Row = Readonly<Record<string, unknown>>;

const cell = (value: unknown): string => {
  const text = value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

export function csvOf(rows: readonly Row[], separator = ",", end = "\r\n"): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = rows.map((row) => names.map((name) => cell(row[name])).join(separator));
  return [names.map(cell).join(separator), ...lines, ""].join(end);
}

const jsonColumns = ({ organization_id, event }: EventBody): Row => ({
  organization_id,
  action: event.action,
  occurred_at: event.occurred_at,
  actor: event.actor,
  targets: event.targets,
  location: event.context.location,
  user_agent: event.context.user_agent,
  metadata: event.metadata,
  ...(event.version === undefined ? {} : { version: event.version }),
});

const flat =
  (separator: string) =>
  ({ organization_id, event }: EventBody): Row => ({
    organization_id,
    action: event.action,
    occurred_at: event.occurred_at,
    [`actor${separator}id`]: event.actor.id,
    [`actor${separator}type`]: event.actor.type,
    [`actor${separator}name`]: event.actor.name,
    ...Object.fromEntries(
      event.targets.flatMap((target, at) =>
        Object.entries(target).map(([key, value]) => [`targets${separator}${at}${separator}${key}`, value]),
      ),
    ),
    [`context${separator}location`]: event.context.location,
    [`context${separator}user_agent`]: event.context.user_agent,
    ...Object.fromEntries(Object.entries(event.metadata).map(([key, value]) => [`metadata${separator}${key}`, value])),
  });

const titled = ({ organization_id, event }: EventBody): Row => ({
  "WorkOS id": `audit_log_event_${event.metadata["event_id"]}`,
  "Organization ID": organization_id,
  "Event Name": event.action,
  "Occurred At": event.occurred_at.replace("T", " ").replace("Z", "+00:00"),
  "Actor ID": event.actor.id,
  "Actor Type": event.actor.type,
  "Actor Name": event.actor.name,
  Targets: event.targets,
  "IP Address": event.context.location,
  "User Agent": event.context.user_agent,
  Metadata: event.metadata,
});

const inSeconds = (body: EventBody): Row => ({
  ...jsonColumns(body),
  occurred_at: body.event.occurred_at.replace(/\.\d{3}Z$/, "Z"),
});

const lines = (row: (body: EventBody) => unknown) => (bodies: readonly EventBody[]) =>
  bodies.map((body) => `${JSON.stringify(row(body))}\n`).join("");

export const LAYOUTS: Readonly<Record<string, (bodies: readonly EventBody[]) => string>> = {
  "JSON lines as they were sent": (bodies) => bodies.map((body) => `${canonicalOf(body)}\n`).join(""),
  "JSON lines with flat fields": lines(jsonColumns),
  "JSON lines with a name of the event and data": lines(({ organization_id, event }) => ({
    id: "x",
    organization_id,
    event,
  })),
  "CSV with columns of JSON": (bodies) => csvOf(bodies.map(jsonColumns)),
  "CSV with one column for the event": (bodies) =>
    csvOf(bodies.map(({ organization_id, event }) => ({ organization_id, event }))),
  "CSV without the organization": (bodies) => csvOf(bodies.map(({ event }) => ({ event }))),
  "CSV with dots": (bodies) => csvOf(bodies.map(flat("."))),
  "CSV with underscores": (bodies) => csvOf(bodies.map(flat("_"))),
  "CSV with semicolons and bare line feeds": (bodies) => csvOf(bodies.map(jsonColumns), ";", "\n"),
  "CSV with tabs": (bodies) => csvOf(bodies.map(jsonColumns), "\t"),
  "CSV with titles": (bodies) => csvOf(bodies.map(titled)),
  "CSV with times in seconds": (bodies) => csvOf(bodies.map(inSeconds)),
  "CSV with a byte order mark": (bodies) => `\uFEFF${csvOf(bodies.map(jsonColumns))}`,
};

/** Columns that no reader can know, and the map for them. */
export const ODD = {
  write: (bodies: readonly EventBody[]) =>
    csvOf(
      bodies.map(({ event }) => ({
        was: event.action,
        wann: event.occurred_at,
        wer: event.actor,
        woran: event.targets,
        woher: event.context,
        mehr: event.metadata,
      })),
    ),
  map: {
    was: "/event/action",
    wann: "/event/occurred_at",
    wer: "/event/actor",
    woran: "/event/targets",
    woher: "/event/context",
    mehr: "/event/metadata",
  },
};
