/** One dead letter as it is stored. */
import type { AuditRecord } from "../../shared/record.ts";
import type { DeadLetterClass, DeadLetterSource, DeadLetterState } from "../../shared/dead-letter.ts";

/** Columns that describe one failure; the earlier ones move to the history. Times in ms since the epoch. */
interface Failure {
  readonly class: DeadLetterClass;
  readonly wrote: "no" | "maybe";
  readonly reason: string;
  readonly status: number | null;
  readonly attempts: number;
  readonly first_attempt_at: number | null;
  readonly last_attempt_at: number | null;
  readonly parked_at: number;
  readonly source: DeadLetterSource;
  readonly message_id: string | null;
}

/** A failure that a later one replaced; `replay_id` is the replay it came from. */
export type PastFailure = Failure & { readonly replay_id?: string };

export interface DeadLetterRow extends Failure {
  readonly event_id: string;
  readonly state: DeadLetterState;
  readonly generation: number;
  readonly replays: number;
  readonly replay_id: string | null;
  readonly action: string | null;
  readonly organization: string | null;
  readonly method: string | null;
  readonly route: string | null;
  readonly occurred_at: number | null;
  /** QStash's own dead letter of this failure. */
  readonly dlq_id: string | null;
  /** 1 once QStash has accepted the message of the current replay. */
  readonly accepted: 0 | 1;
  /** JSON of `{reason, at, by}`. */
  readonly discarded: string | null;
  /** JSON of the `ImportMark`, if it was imported and no gateway of this deployment has sent it since. */
  readonly imported: string | null;
  /** JSON of `PastFailure[]`, oldest first. */
  readonly history: string;
  /** JSON of the `AuditRecord`. */
  readonly record: string | null;
  /** Base64 of an unreadable message. */
  readonly body: string | null;
}

const FAILURE = [
  "class",
  "wrote",
  "reason",
  "status",
  "attempts",
  "first_attempt_at",
  "last_attempt_at",
  "parked_at",
  "source",
  "message_id",
] as const satisfies readonly (keyof Failure)[];

/** All columns, in the order of the table. */
export const COLUMNS = [
  "event_id",
  "state",
  ...FAILURE,
  "generation",
  "replays",
  "replay_id",
  "action",
  "organization",
  "method",
  "route",
  "occurred_at",
  "dlq_id",
  "accepted",
  "discarded",
  "imported",
  "history",
  "record",
  "body",
] as const satisfies readonly (keyof DeadLetterRow)[];

/** The columns of a list: all except the large ones. */
export const SUMMARY_COLUMNS = COLUMNS.filter((name) => !["history", "record", "body"].includes(name)).join(", ");
export type DeadLetterSummary = Omit<DeadLetterRow, "history" | "record" | "body">;

/** Returns the failure that a row describes now, as an entry of its history. */
export function failureOf(row: DeadLetterRow): PastFailure {
  const failure = Object.fromEntries(FAILURE.map((name) => [name, row[name]])) as unknown as Failure;
  const replayId = row.record === null ? undefined : (JSON.parse(row.record) as AuditRecord).replay?.id;
  return replayId === undefined ? failure : { ...failure, replay_id: replayId };
}
