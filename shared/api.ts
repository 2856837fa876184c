/**
 * The contract of the worker's API: the fields of its answers and the limits of its parameters, as data. The worker's views, the
 * CLI's parsers and the tables of `docs/api.md` are derived from it, so that a new field is one edit here.
 */
import { ROLES, type Role } from "./access-tokens.ts";
import { type AnswerOf, type Fields, optional, required } from "./fields.ts";
import type { AuditRecord } from "./record.ts";
import {
  DEAD_LETTER_CLASSES,
  DEAD_LETTER_SOURCES,
  DEAD_LETTER_STATES,
  type DeadLetterClass,
  type DeadLetterSource,
  type DeadLetterState,
} from "./dead-letter.ts";

/** Largest page of dead letters, and its default. Our choice. */
export const PAGE_MAX = 500;
export const PAGE_DEFAULT = 50;
/** Largest page of whole dead letters: with their records and histories. Our choice. */
export const WHOLE_PAGE_MAX = 100;
/** Largest page of the records of one request id: each is looked up in several places. Our choice. */
export const FOUND_PAGE_MAX = 100;
/** Most event ids that one replay can name. Our choice. */
export const REPLAY_EVENT_IDS_MAX = 10_000;
/** Most dead letters that one discard takes. Our choice. */
export const DISCARD_MAX = REPLAY_EVENT_IDS_MAX;
/** Records a second of a replay. The default is half of the worker's own pace, so that live events continue meanwhile. Our choice. */
export const REPLAY_RATE = { default: 40, min: 0.1, max: 500 } as const;
/** Lines of one import. Our choice. */
export const IMPORT_MAX_LINES = 1_000;

/** `planning` is never shown: a replay found in it after a restart is taken back. */
export const REPLAY_STATES = ["running", "paused", "stopped", "settling", "done"] as const;
export type ReplayState = (typeof REPLAY_STATES)[number];

/** What became of one record of a replay. */
export const REPLAY_OUTCOMES = ["pending", "published", "delivered", "failed_again", "skipped"] as const;
export type ReplayOutcome = (typeof REPLAY_OUTCOMES)[number];

/** Who calls, as `GET /api/me` answers. */
export const ME_FIELDS = {
  name: required<string>(
    "text",
    "whom receipts and audit events name: the token's name, or who signed in through Cloudflare Access",
  ),
  role: required<Role>("text", "what you may do; each role includes the ones before it", ROLES),
  environment: optional<string>("text", "`AUDIT_ENVIRONMENT` of the worker"),
} satisfies Fields;

export type MeAnswer = AnswerOf<typeof ME_FIELDS>;

/** Most points of each series in one answer of `GET /api/metrics`: more than the minutes of 48 hours. Our choice. */
export const METRIC_POINTS_MAX = 3_000;

type OpenOfClass = `dead_letters_open_${DeadLetterClass}`;

/** The series of `GET /api/metrics`. */
export const METRIC_SERIES = [
  "delivered",
  "retried",
  "refused",
  "waiting",
  "dead_letters_open",
  ...DEAD_LETTER_CLASSES.map((name): OpenOfClass => `dead_letters_open_${name}`),
  "age_p50_ms",
  "age_p99_ms",
] as const;
export type MetricSeries = (typeof METRIC_SERIES)[number];

/** Says what each series shows. A function, so that the worker's bundle does not hold the texts. */
export function metricTexts(): Readonly<Record<MetricSeries, string>> {
  const classes = DEAD_LETTER_CLASSES.map(
    (name) => [`dead_letters_open_${name}`, `those of class \`${name}\``] as const,
  );
  return {
    delivered: "events that WorkOS accepted in the step",
    retried: "attempts in the step after which the event is sent again",
    refused: "events in the step that WorkOS refused for good",
    waiting: "records and messages that wait: for their next attempt, in the outbox, at QStash",
    dead_letters_open: "open dead letters",
    ...(Object.fromEntries(classes) as Record<OpenOfClass, string>),
    age_p50_ms: "half of the events delivered in the step were younger than this, in ms; at most a tenth off",
    age_p99_ms: "99 % of them were younger than this",
  };
}

/** The beginning of a step in Unix seconds, and the value. */
export type Point = readonly [atS: number, value: number];

/** The answer of `GET /api/metrics`. */
export interface MetricsAnswer {
  readonly step_seconds: number;
  readonly series: Readonly<Record<MetricSeries, readonly Point[]>>;
}

/** One thing that an operator did, as `GET /api/incidents` answers it. */
export const ACTION_FIELDS = {
  action: required<string>("text", "action of the audit event about it, such as `audit_forwarder.delivery_resumed`"),
  by: required<string>("text", "the operator's name"),
  at: required<string>("time", "when it was done"),
  target: required<{ readonly type: string; readonly id: string }>("object", "what it was done to: `{type, id}`"),
} satisfies Fields;

/** An incident, as `GET /api/incidents` answers it. */
export const INCIDENT_FIELDS = {
  kind: required<string>("text", "the name of the alert"),
  detail: required<string>("text", "one line for people"),
  since: required<string>("time", "when it opened"),
  until: optional<string>("time", "when it ended; absent while it is open"),
  actions: required<readonly AnswerOf<typeof ACTION_FIELDS>[]>(
    "list",
    "what operators did between `since` and `until`, oldest first, at most the newest 100",
  ),
} satisfies Fields;

export type IncidentAnswer = AnswerOf<typeof INCIDENT_FIELDS>;

/** What became of a discard, as `POST /api/dead-letters/discard` answers it. */
export const DISCARD_FIELDS = {
  discarded: required<number>("number", "dead letters that were discarded"),
  skipped: required<number>("number", "those that were left alone"),
  skip_reasons: required<Readonly<Record<string, number>>>(
    "object",
    "why: `not_open` (in a replay, ended, or unknown), `being_delivered`, `delivered` (the ledger says so)",
  ),
  reason: required<string>("text", "as given; each tombstone has it"),
  by: required<string>("text", "your name"),
  at: required<string>("time", "when the request came"),
} satisfies Fields;

export type DiscardAnswer = AnswerOf<typeof DISCARD_FIELDS>;

/** A dead letter in a list. */
export const DEAD_LETTER_FIELDS = {
  event_id: required<string>("text", "identity of the record, the same everywhere"),
  state: required<DeadLetterState>(
    "text",
    "`open` waits for you; `replaying` is in a replay; `delivered` and `discarded` are ends",
    DEAD_LETTER_STATES,
  ),
  class: required<DeadLetterClass>("text", "why it is a dead letter", DEAD_LETTER_CLASSES),
  wrote: required<"no" | "maybe">("text", "whether WorkOS may have stored the event: `no` or `maybe`"),
  reason: required<string>("text", "one line for people and for grouping; holds no data of the event"),
  status: optional<number>("number", "HTTP status of the last attempt"),
  attempts: required<number>("number", "attempts until it was parked"),
  source: required<DeadLetterSource>("text", "how it became known", DEAD_LETTER_SOURCES),
  action: optional<string>("text", "action of the event"),
  organization: optional<string>("text", "WorkOS organization id, or an id of your own system"),
  method: optional<string>("text", "method of the request"),
  route: optional<string>("text", "route pattern of the request"),
  occurred_at: optional<string>("time", "when the request came"),
  first_attempt_at: optional<string>("time", "first attempt ever"),
  last_attempt_at: optional<string>("time", "last attempt before it was parked"),
  parked_at: required<string>("time", "when it became a dead letter"),
  replays: required<number>("number", "how many replays have sent it"),
  replay_id: optional<string>("text", "the last replay that it was in"),
  safe_until: optional<string>(
    "time",
    "only if `wrote` is `maybe`: the end of WorkOS's 24 h window, less ten minutes. A replay after it may duplicate",
  ),
  imported: optional<{ readonly by: string; readonly at: string }>(
    "object",
    "who imported it from another deployment, and when: `{by, at}`",
  ),
  discarded: optional<{ readonly reason: string; readonly at: string; readonly by: string }>(
    "object",
    "who discarded it, when and why: `{reason, at, by}`",
  ),
} satisfies Fields;

export type DeadLetterAnswer = AnswerOf<typeof DEAD_LETTER_FIELDS>;

/** An earlier failure of a dead letter. */
export const PAST_FAILURE_FIELDS = {
  class: required<DeadLetterClass>("text", "why it was a dead letter", DEAD_LETTER_CLASSES),
  wrote: required<"no" | "maybe">("text", "whether WorkOS may have stored the event"),
  reason: required<string>("text", "one line for people and for grouping"),
  status: optional<number>("number", "HTTP status of the last attempt"),
  attempts: required<number>("number", "attempts until it was parked"),
  source: required<DeadLetterSource>("text", "how it became known", DEAD_LETTER_SOURCES),
  first_attempt_at: optional<string>("time", "first attempt ever"),
  last_attempt_at: optional<string>("time", "last attempt before it was parked"),
  parked_at: required<string>("time", "when it became a dead letter"),
  message_id: optional<string>("text", "QStash's message"),
  replay_id: optional<string>("text", "the replay that it came from"),
} satisfies Fields;

export type PastFailureAnswer = AnswerOf<typeof PAST_FAILURE_FIELDS>;

/** What a whole dead letter has in addition to one in a list. */
export const WHOLE_FIELDS = {
  message_id: optional<string>("text", "QStash's message"),
  dlq_id: optional<string>("text", "the entry in QStash's own dead-letter queue"),
  mended: optional<readonly string[]>("texts", "fields that an operator changed before a replay"),
  record: optional<AuditRecord>(
    "object",
    "the record, with the fields of `shared/record.ts`; absent if it is unreadable",
  ),
  body_bytes: optional<number>("number", "size of an unreadable message"),
  body: optional<string>("text", "the unreadable message in base64; only with `reveal=true`"),
  hidden: required<readonly string[]>("texts", "paths of the values that are `[hidden]`; empty with `reveal=true`"),
  history: required<readonly PastFailureAnswer[]>("list", "earlier failures, oldest first, at most 20"),
} satisfies Fields;

export type WholeDeadLetterAnswer = DeadLetterAnswer & AnswerOf<typeof WHOLE_FIELDS>;
