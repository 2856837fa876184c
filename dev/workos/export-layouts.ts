/** The columns of an export are not documented, so a reader must support several layouts. These are ours. */
import { stringify } from "csv-stringify/sync";
import type { ExportLayout, StoredEvent } from "./types.ts";

type Row = Readonly<Record<string, unknown>>;

const ROWS: Readonly<Record<Exclude<ExportLayout, "lines">, (stored: StoredEvent) => Row>> = {
  json: ({ organization_id, event }) => ({
    organization_id,
    ...plainOf(event),
    location: event.context.location,
    user_agent: event.context.user_agent ?? "",
    metadata: event.metadata,
  }),
  flat: ({ organization_id, event }) => ({
    organization_id,
    action: event.action,
    occurred_at: event.occurred_at,
    version: event.version,
    ...named("actor", event.actor),
    targets: event.targets,
    ...named("context", event.context),
    ...named("metadata", event.metadata),
  }),
  titled: ({ organization_id, event }) => ({
    "Organization ID": organization_id,
    "Event Name": event.action,
    "Occurred At": event.occurred_at,
    Version: event.version,
    Actor: event.actor,
    Targets: event.targets,
    "IP Address": event.context.location,
    "User Agent": event.context.user_agent,
    Metadata: event.metadata,
  }),
  event: ({ organization_id, event }) => ({ organization_id, event }),
  bare: ({ organization_id, event }) => ({ organization_id, ...plainOf(event), metadata: event.metadata }),
};

function plainOf({ action, occurred_at, actor, targets }: StoredEvent["event"]): Row {
  return { action, occurred_at, actor, targets };
}

function named(prefix: string, fields: object): Row {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => [`${prefix}.${name}`, value]),
  );
}

/** Writes an export. Without events, it still has its header. */
export function writeExport(layout: ExportLayout, events: readonly StoredEvent[]): string {
  if (layout === "lines") {
    return events.map(({ organization_id, event }) => `${JSON.stringify({ organization_id, event })}\n`).join("");
  }
  const rows = events.map(ROWS[layout]);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return stringify(rows, {
    header: true,
    columns: columns.length > 0 ? columns : ["organization_id"],
    cast: { number: String, boolean: String },
  });
}
