/** The archive's rows as the API shows them. What a route selected from a request stays hidden unless asked for. */
import { IDEMPOTENCY_SAFE_MS } from "../../shared/limits.ts";
import type { AuditRecord, Metadata, Party } from "../../shared/record.ts";
import type { PastFailure, Row, Summary } from "./row.ts";

export const HIDDEN = "[hidden]";

/** An entry of a list; fields that are not known are left out. */
export function summaryView(row: Summary): Record<string, unknown> {
  return known({
    event_id: row.event_id,
    state: row.state,
    class: row.class,
    wrote: row.wrote,
    reason: row.reason,
    status: row.status,
    attempts: row.attempts,
    source: row.source,
    action: row.action,
    organization: row.organization,
    method: row.method,
    route: row.route,
    occurred_at: iso(row.occurred_at),
    first_attempt_at: iso(row.first_attempt_at),
    last_attempt_at: iso(row.last_attempt_at),
    parked_at: iso(row.parked_at),
    replays: row.replays,
    replay_id: row.replay_id,
    safe_until:
      row.wrote === "maybe" && row.first_attempt_at !== null ? iso(row.first_attempt_at + IDEMPOTENCY_SAFE_MS) : null,
    discarded: row.discarded === null ? null : JSON.parse(row.discarded),
  });
}

/** A whole entry with its history. */
export function wholeView(row: Row, reveal: boolean): Record<string, unknown> {
  const record = row.record === null ? undefined : (JSON.parse(row.record) as AuditRecord);
  const hidden: string[] = [];
  return {
    ...summaryView(row),
    ...known({
      message_id: row.message_id,
      dlq_id: row.dlq_id,
      mended: record?.replay?.mended ?? null,
      record: record && !reveal ? hideSelected(record, hidden) : (record ?? null),
      body_bytes: row.body === null ? null : atob(row.body).length,
      body: reveal ? row.body : null,
    }),
    hidden,
    history: (JSON.parse(row.history) as PastFailure[]).map(pastFailureView),
  };
}

function pastFailureView(failure: PastFailure): Record<string, unknown> {
  const { first_attempt_at, last_attempt_at, parked_at, ...rest } = failure;
  return known({
    ...rest,
    first_attempt_at: iso(first_attempt_at),
    last_attempt_at: iso(last_attempt_at),
    parked_at: iso(parked_at),
  });
}

/** Metadata values come from what a route selects; its keys come from configuration and are shown. */
function hideSelected(record: AuditRecord, hidden: string[]): AuditRecord {
  const hide = (metadata: Metadata, path: string): Metadata => {
    hidden.push(...Object.keys(metadata).map((key) => `${path}.${key}`));
    return Object.fromEntries(Object.keys(metadata).map((key) => [key, HIDDEN]));
  };
  const party = (of: Party, path: string): Party =>
    of.metadata ? { ...of, metadata: hide(of.metadata, `${path}.metadata`) } : of;
  return {
    ...record,
    actor: party(record.actor, "record.actor"),
    targets: record.targets.map((target, index) => party(target, `record.targets.${index}`)),
    ...(record.metadata ? { metadata: hide(record.metadata, "record.metadata") } : {}),
  };
}

/** A time of a row in ISO 8601, UTC. */
export function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** Leaves out what is null. */
export function known(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
