/** CSV exports: the only way to read events back from WorkOS, so `verify` depends on them. */
import { randomUUID } from "node:crypto";
import { json, type Answer } from "./answers.ts";
import { writeExport } from "./export-layouts.ts";
import type { ExportLayout, StoredEvent } from "./types.ts";

/** The URL of an export "will expire after 10 minutes"; fetching the export again makes a new one (docs, exporting events). */
const URL_LIFETIME_MS = 10 * 60_000;
/** "Events from the past three months can be included." (docs, exporting events) */
const REACH_MS = 92 * 86_400_000;

export interface ExportDto {
  readonly organization_id: string;
  readonly range_start: string;
  readonly range_end: string;
  readonly actions?: readonly string[];
  readonly actor_names?: readonly string[];
  readonly actor_ids?: readonly string[];
  readonly targets?: readonly string[];
}

interface Export {
  readonly id: string;
  readonly csv: string;
  readonly created_at: string;
}

export class Exports {
  readonly #exports = new Map<string, Export>();
  readonly #urls = new Map<string, { csv: string; expires_at_ms: number }>();

  /** Takes a snapshot at once; its state says `pending` until it is fetched. */
  create(dto: ExportDto, events: readonly StoredEvent[], layout: ExportLayout, nowMs: number): Answer {
    const from = Date.parse(dto.range_start);
    const to = Date.parse(dto.range_end);
    // [spec] the example of the endpoint's 400.
    if (!(from <= to)) return json(400, { message: "Invalid date range", code: "invalid_audit_log_export_range_date" });
    const wanted = events.filter((stored) => selects(dto, stored, Math.max(from, nowMs - REACH_MS), to));
    const made: Export = {
      id: `audit_log_export_${String(this.#exports.size + 1).padStart(26, "0")}`,
      csv: writeExport(layout, wanted),
      created_at: new Date(nowMs).toISOString(),
    };
    this.#exports.set(made.id, made);
    return json(201, { ...show(made, nowMs), state: "pending" });
  }

  fetch(id: string, origin: string, nowMs: number): Answer {
    const found = this.#exports.get(id);
    if (!found) return json(404, { message: `Audit Log Export not found: '${id}'.` });
    const token = randomUUID();
    this.#urls.set(token, { csv: found.csv, expires_at_ms: nowMs + URL_LIFETIME_MS });
    return json(200, { ...show(found, nowMs), state: "ready", url: `${origin}/__dev/exports/${token}.csv` });
  }

  /** Returns the CSV of a URL that has not expired. */
  download(token: string, nowMs: number): string | undefined {
    const found = this.#urls.get(token);
    return found && found.expires_at_ms > nowMs ? found.csv : undefined;
  }

  clear(): void {
    this.#exports.clear();
    this.#urls.clear();
  }
}

function show({ id, created_at }: Export, nowMs: number): object {
  return { object: "audit_log_export", id, created_at, updated_at: new Date(nowMs).toISOString() };
}

function selects(dto: ExportDto, { organization_id, event }: StoredEvent, fromMs: number, toMs: number): boolean {
  const at = Date.parse(event.occurred_at);
  return (
    organization_id === dto.organization_id &&
    at >= fromMs &&
    at <= toMs &&
    admits(dto.actions, [event.action]) &&
    admits(dto.actor_ids, [event.actor.id]) &&
    admits(dto.actor_names, [event.actor.name]) &&
    admits(
      dto.targets,
      event.targets.map((target) => target.type),
    )
  );
}

function admits(filter: readonly string[] | undefined, values: readonly (string | undefined)[]): boolean {
  return !filter || values.some((value) => value !== undefined && filter.includes(value));
}
