/** Open incidents and the alerts still to be sent; each incident is announced once, and so is its end. */
import type { DeadLetterClass } from "../../shared/dead-letter.ts";
import { HISTORY_KEPT_MS } from "./operator-actions.ts";
import { migrate } from "../storage/migration.ts";
import type { Sql } from "../storage/sql.ts";

export type IncidentKind =
  | "paused"
  | "destination_down"
  | `dead_letters_${DeadLetterClass}`
  | "undelivered_too_long"
  | "outbox_waits_too_long"
  | "queue_unreachable"
  | "ledger_unreachable"
  | "newer_message"
  | "not_configured"
  | "deliveries_refused"
  | "requests_refused"
  | "foreign_messages"
  | "sweep_failing"
  | "gateway_silent"
  | "queue_backlog"
  | "storage_nearly_full"
  | "operator_events_refused"
  | "evidence_not_sealed"
  | "anchor_failing";

export interface Incident {
  readonly kind: IncidentKind;
  readonly detail: string;
  readonly sinceMs: number;
  /** null while it is open. */
  readonly untilMs: number | null;
}

export interface Notice extends Incident {
  readonly id: number;
  readonly tries: number;
}

/** The database, version by version; see `migrate`. The first step is the schema that predates versions. */
export const STEPS: readonly string[] = [
  `
CREATE TABLE IF NOT EXISTS incidents (kind TEXT PRIMARY KEY, detail TEXT NOT NULL, since_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS notices (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, detail TEXT NOT NULL, since_ms INTEGER NOT NULL, until_ms INTEGER,
  tries INTEGER NOT NULL DEFAULT 0
);
`,
  // `minutes` and `hours` hold the history of `GET /api/metrics`, keyed by the second at which each begins.
  `
CREATE TABLE ended_incidents (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, detail TEXT NOT NULL, since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL
);
CREATE TABLE operator_actions (
  id INTEGER PRIMARY KEY, action TEXT NOT NULL, by_name TEXT NOT NULL, target_type TEXT NOT NULL, target_id TEXT NOT NULL,
  started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL
);
CREATE TABLE minutes (at_s INTEGER PRIMARY KEY, numbers TEXT NOT NULL);
CREATE TABLE hours (at_s INTEGER PRIMARY KEY, numbers TEXT NOT NULL);
`,
];

/** Most incidents in one list; a kind that flaps would fill it otherwise. Our choice. */
const LIST_MAX = 500;

export class Incidents {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
    migrate(sql, STEPS);
  }

  /** True if the incident is new. An open one takes the new detail: its cause can change while it is open. */
  open(kind: IncidentKind, detail: string, nowMs: number): boolean {
    const update = "UPDATE incidents SET last_ms = ?, detail = ? WHERE kind = ? RETURNING kind";
    if (this.#sql.all(update, nowMs, detail, kind).length > 0) return false;
    this.#sql.all(
      "INSERT INTO incidents (kind, detail, since_ms, last_ms) VALUES (?, ?, ?, ?)",
      kind,
      detail,
      nowMs,
      nowMs,
    );
    this.#notice({ kind, detail, sinceMs: nowMs, untilMs: null });
    return true;
  }

  /** Returns what ended, if it was open. */
  close(kind: IncidentKind, nowMs: number): Incident | undefined {
    const [ended] = this.#sql.all<{ detail: string; since_ms: number }>(
      "DELETE FROM incidents WHERE kind = ? RETURNING *",
      kind,
    );
    if (!ended) return undefined;
    const incident = { kind, detail: ended.detail, sinceMs: ended.since_ms, untilMs: nowMs };
    const query = "INSERT INTO ended_incidents (kind, detail, since_ms, until_ms) VALUES (?, ?, ?, ?)";
    this.#sql.all(query, kind, incident.detail, incident.sinceMs, nowMs);
    this.#sql.all("DELETE FROM ended_incidents WHERE until_ms < ?", nowMs - HISTORY_KEPT_MS);
    this.#notice(incident);
    return incident;
  }

  /** Whether it is open and has not been reported since a time. */
  isQuiet(kind: IncidentKind, sinceMs: number): boolean {
    return this.#sql.all("SELECT 1 FROM incidents WHERE kind = ? AND last_ms < ?", kind, sinceMs).length > 0;
  }

  list(): readonly Incident[] {
    return this.#sql
      .all<{ kind: IncidentKind; detail: string; since_ms: number }>("SELECT * FROM incidents ORDER BY since_ms")
      .map(({ kind, detail, since_ms }) => ({ kind, detail, sinceMs: since_ms, untilMs: null }));
  }

  /** What ended since a time, the one that ended last first. */
  ended(sinceMs: number): readonly Incident[] {
    type Found = { kind: IncidentKind; detail: string; since_ms: number; until_ms: number };
    return this.#sql
      .all<Found>("SELECT * FROM ended_incidents WHERE until_ms >= ? ORDER BY id DESC LIMIT ?", sinceMs, LIST_MAX)
      .map(({ kind, detail, since_ms, until_ms }) => ({ kind, detail, sinceMs: since_ms, untilMs: until_ms }));
  }

  /** What has to be announced, oldest first. */
  notices(): readonly Notice[] {
    type Found = {
      id: number;
      kind: IncidentKind;
      detail: string;
      since_ms: number;
      until_ms: number | null;
      tries: number;
    };
    return this.#sql
      .all<Found>("SELECT * FROM notices ORDER BY id")
      .map(({ id, kind, detail, since_ms, until_ms, tries }) => ({
        id,
        kind,
        detail,
        sinceMs: since_ms,
        untilMs: until_ms,
        tries,
      }));
  }

  announced(id: number): void {
    this.#sql.all("DELETE FROM notices WHERE id = ?", id);
  }

  failed(id: number): void {
    this.#sql.all("UPDATE notices SET tries = tries + 1 WHERE id = ?", id);
  }

  #notice({ kind, detail, sinceMs, untilMs }: Incident): void {
    const query = "INSERT INTO notices (kind, detail, since_ms, until_ms) VALUES (?, ?, ?, ?)";
    this.#sql.all(query, kind, detail, sinceMs, untilMs);
  }
}
