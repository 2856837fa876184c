/** What the API answers about one event: the same contract as `api.ts`, for `GET /api/events`. */
import type { DeadLetterClass, DeadLetterState } from "./dead-letter.ts";
import { type AnswerOf, type Fields, optional, required } from "./fields.ts";
import type { AttemptOutcome } from "./outcome.ts";
import type { Stage } from "./record.ts";

/** What became of an event. `unknown`: the worker has not seen it. */
export const EVENT_STATES = ["pending", "delivered", "dead_letter", "discarded", "unknown"] as const;
export type EventState = (typeof EVENT_STATES)[number];

/** Where an event is. `archive` holds the dead letters. */
export const EVENT_PLACES = ["queue", "workos", "archive", "outbox"] as const;
export type EventPlace = (typeof EVENT_PLACES)[number];

/** How an attempt ended: as `shared/outcome.ts` decides it, or `lost` if the worker was stopped first. */
const ATTEMPT_OUTCOMES = ["delivered", "retry", "reject", "pause", "lost"] as const satisfies readonly (
  AttemptOutcome["kind"] | "lost"
)[];

/** Whether WorkOS may have stored an event. */
type Wrote = "yes" | "no" | "maybe";

/** One attempt to deliver an event. */
export const ATTEMPT_FIELDS = {
  n: required<number>("number", "its number in this list, from 1"),
  at: required<string>("time", "when it began"),
  duration_ms: required<number>("number", "how long it took"),
  outcome: required<(typeof ATTEMPT_OUTCOMES)[number]>(
    "text",
    "how it ended; `lost` if the worker was stopped before it could say",
    ATTEMPT_OUTCOMES,
  ),
  wrote: required<Wrote>("text", "whether WorkOS stored the event: `yes`, `no` or `maybe`"),
  status: optional<number>("number", "HTTP status of WorkOS's answer"),
  reason: optional<string>("text", "one line for people; holds no data of the event"),
} satisfies Fields;

export type AttemptAnswer = AnswerOf<typeof ATTEMPT_FIELDS>;

/** What the worker knows of one event. */
export const EVENT_FIELDS = {
  event_id: required<string>("text", "identity of the record"),
  state: required<EventState>("text", "what became of it", EVENT_STATES),
  late_outcome: optional<string>("text", "the event with the outcome that came later; not in a search"),
  corrects: optional<string>("text", "on a late outcome: the event that was sent before the outcome was known"),
  where: optional<EventPlace>("text", "where it is now; `archive` holds the dead letters", EVENT_PLACES),
  occurred_at: optional<string>("time", "when the request came"),
  request_id: optional<string>("text", "the gateway's request id"),
  wrote: optional<Wrote>("text", "whether WorkOS may have stored it: `yes`, `no` or `maybe`"),
  stage: optional<Stage>("text", "what was sent last: `intent`, `watchdog` or `outcome`"),
  idempotency_key: optional<string>("text", "key of the last attempt"),
  replays: optional<number>("number", "how many replays have sent it"),
  in_flight: optional<boolean>("boolean", "whether the worker is sending it now"),
  first_attempt_at: optional<string>("time", "when the first attempt began"),
  reason: optional<string>("text", "why it was rejected or discarded"),
  attempts: required<readonly AttemptAnswer[]>("list", "its attempts, oldest first, at most the newest 20"),
  dead_letter: optional<{
    readonly class: DeadLetterClass;
    readonly reason: string;
    readonly state: DeadLetterState;
    readonly attempts: number;
    readonly parked_at: string;
  }>(
    "object",
    "if it is or was one: `{class, reason, state, attempts, parked_at}`; `attempts` includes those that failed before WorkOS was called",
  ),
} satisfies Fields;

export type EventAnswer = AnswerOf<typeof EVENT_FIELDS>;
