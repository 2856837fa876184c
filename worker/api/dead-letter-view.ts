/** Dead letters as the API shows them. Values that a route selected from a request stay hidden unless the caller asks for them. */
import {
  DEAD_LETTER_FIELDS,
  type DeadLetterAnswer,
  type PastFailureAnswer,
  type WholeDeadLetterAnswer,
} from "../../shared/api.ts";
import type { Field } from "../../shared/fields.ts";
import { IDEMPOTENCY_SAFE_MS } from "../../shared/limits.ts";
import type { AuditRecord, ImportMark, Metadata, Party } from "../../shared/record.ts";
import { isoTime, withoutNulls } from "../json-fields.ts";
import type { PastFailure, DeadLetterRow, DeadLetterSummary } from "../dead-letters/row.ts";

export const HIDDEN = "[hidden]";

/** Fields that differ from their stored column. */
const COMPUTED = {
  safe_until: ({ wrote, first_attempt_at }: DeadLetterSummary) =>
    wrote === "maybe" && first_attempt_at !== null ? isoTime(first_attempt_at + IDEMPOTENCY_SAFE_MS) : null,
  imported: ({ imported }: DeadLetterSummary) =>
    imported === null ? null : importView(JSON.parse(imported) as ImportMark),
  discarded: ({ discarded }: DeadLetterSummary) => (discarded === null ? null : (JSON.parse(discarded) as unknown)),
};

/** All other fields share the name of their column; the compiler enforces it. */
type StoredField = Exclude<keyof typeof DEAD_LETTER_FIELDS, keyof typeof COMPUTED> & keyof DeadLetterSummary;

/** Returns a dead letter as a list shows it, without fields that are unknown. */
export function summaryView(row: DeadLetterSummary): DeadLetterAnswer {
  const fields = Object.entries(DEAD_LETTER_FIELDS).map(([name, { kind }]) => [name, valueOf(row, name, kind)]);
  return withoutNulls(Object.fromEntries(fields) as Record<string, unknown>) as unknown as DeadLetterAnswer;
}

function importView({ by, atMs }: ImportMark) {
  return { by, at: isoTime(atMs) };
}

function valueOf(row: DeadLetterSummary, name: string, kind: Field["kind"]): unknown {
  if (isComputed(name)) return COMPUTED[name](row);
  const stored = row[name as StoredField];
  return kind === "time" ? isoTime(stored as number | null) : stored;
}

function isComputed(name: string): name is keyof typeof COMPUTED {
  return Object.hasOwn(COMPUTED, name);
}

/** Returns a full dead letter with its record and history. */
export function wholeView(row: DeadLetterRow, reveal: boolean): WholeDeadLetterAnswer {
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

function pastFailureView(failure: PastFailure): PastFailureAnswer {
  const { first_attempt_at, last_attempt_at, parked_at, ...rest } = failure;
  return withoutNulls({
    ...rest,
    first_attempt_at: isoTime(first_attempt_at),
    last_attempt_at: isoTime(last_attempt_at),
    parked_at: isoTime(parked_at),
  });
}

/** Metadata values come from the request and may be hidden; metadata keys come from configuration and are always shown. */
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
