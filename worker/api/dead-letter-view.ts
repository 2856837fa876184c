/** The archive's rows as the API shows them. What a route selected from a request stays hidden unless asked for. */
import { IDEMPOTENCY_SAFE_MS } from "../../shared/limits.ts";
import type { AuditRecord, Metadata, Party } from "../../shared/record.ts";
import { isoTime, withoutNulls } from "../json-fields.ts";
import type { PastFailure, Row, Summary } from "../dead-letters/row.ts";

export const HIDDEN = "[hidden]";

/** An entry of a list; fields that are not known are left out. */
export function summaryView(row: Summary): Record<string, unknown> {
  return withoutNulls({
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
    occurred_at: isoTime(row.occurred_at),
    first_attempt_at: isoTime(row.first_attempt_at),
    last_attempt_at: isoTime(row.last_attempt_at),
    parked_at: isoTime(row.parked_at),
    replays: row.replays,
    replay_id: row.replay_id,
    safe_until:
      row.wrote === "maybe" && row.first_attempt_at !== null
        ? isoTime(row.first_attempt_at + IDEMPOTENCY_SAFE_MS)
        : null,
    discarded: row.discarded === null ? null : JSON.parse(row.discarded),
  });
}

/** A whole entry with its history. */
export function wholeView(row: Row, reveal: boolean): Record<string, unknown> {
  const record = row.record === null ? undefined : (JSON.parse(row.record) as AuditRecord);
  const hidden: string[] = [];
  return {
    ...summaryView(row),
    ...withoutNulls({
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
  return withoutNulls({
    ...rest,
    first_attempt_at: isoTime(first_attempt_at),
    last_attempt_at: isoTime(last_attempt_at),
    parked_at: isoTime(parked_at),
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
