/** What the API answers about replays: the same contract as `api.ts`, for replays, their plans and their records. */
import { REPLAY_OUTCOMES, REPLAY_STATES, type ReplayOutcome, type ReplayState } from "./api.ts";
import { type AnswerOf, type Fields, optional, required } from "./fields.ts";

type Counts = Readonly<Record<string, number>>;

/** One value that a mended record has instead of another. */
interface ChangeAnswer {
  readonly field: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** The plan of a replay. */
export const PLAN_FIELDS = {
  id: optional<string>("text", "confirms exactly this plan; only in the answer to a dry run"),
  send: required<number>("number", "records that will be sent"),
  skip: required<number>("number", "records that will not be sent"),
  skip_reasons: required<Counts>("object", "why, with counts"),
  by_class: required<Counts>("object", "what will be sent, by class"),
  by_action: required<Counts>("object", "by action: the 100 largest and `(other)`; `(none)` if it is not known"),
  by_organization: required<Counts>("object", "by organization, in the same way"),
  age: required<Counts>("object", "by the age of the first attempt: `within_24h`, `beyond_24h`, `never_attempted`"),
  duplicates_possible: required<number>("number", "records that WorkOS may have stored, beyond its 24 h window"),
  needs_accept_duplicates: required<boolean>(
    "boolean",
    "whether some of them are skipped for want of `accept_duplicates`",
  ),
  rate: required<number>("number", "records a second"),
  seconds: required<number>("number", "how long that takes"),
  mend: optional<{
    readonly changed: number;
    readonly unchanged: number;
    readonly sample: readonly { readonly event_id: string; readonly changes: readonly ChangeAnswer[] }[];
  }>("object", "what `set`, `drop` and `map` change: `{changed, unchanged, sample}`, at most 10 in the sample"),
} satisfies Fields;

export type PlanAnswer = AnswerOf<typeof PLAN_FIELDS>;

/** A replay, in a list and by itself. */
export const REPLAY_FIELDS = {
  id: required<string>("text", "the replay's id"),
  state: required<ReplayState>("text", "what it does now", REPLAY_STATES),
  name: optional<string>("text", "as given"),
  by: required<string>("text", "who started it, or confirmed its plan"),
  planned_by: optional<string>("text", "who made the plan that was confirmed"),
  controls: required<readonly { readonly control: string; readonly by: string; readonly at: string }[]>(
    "list",
    "who paused, resumed or cancelled it, oldest first, at most 100: `{control, by, at}`",
  ),
  created_at: required<string>("time", "when it was started"),
  finished_at: optional<string>("time", "when the last of its records ended"),
  rate: required<number>("number", "records a second"),
  selection: required<Readonly<Record<string, unknown>>>(
    "object",
    "what it was asked for; of a list of event ids the length",
  ),
  accept_duplicates: required<boolean>("boolean", "as given"),
  stop_on_error_rate: optional<number>("number", "as given"),
  mend: optional<object>("object", "`set`, `drop` and `map` as given"),
  progress: required<{
    readonly state: ReplayState;
    readonly total: number;
    readonly published: number;
    readonly delivered: number;
    readonly failed_again: number;
    readonly skipped: number;
  }>("object", "counts of its records"),
  problem: optional<string>("text", "`queue_unreachable` while QStash does not accept its messages"),
  plan: optional<PlanAnswer>("object", "the plan; not in a list"),
  receipt: optional<Readonly<Record<string, unknown>>>("object", "the receipt, once it is done; not in a list"),
} satisfies Fields;

export type ReplayAnswer = AnswerOf<typeof REPLAY_FIELDS>;

/** One record of a replay. */
export const REPLAY_ITEM_FIELDS = {
  event_id: required<string>("text", "identity of the record"),
  n: required<number>("number", "which replay of this event id it is, from 1; 0 if it was not sent"),
  outcome: required<ReplayOutcome>("text", "what became of it", REPLAY_OUTCOMES),
  reason: optional<string>("text", "why it was skipped, or failed again"),
  message_id: optional<string>("text", "QStash's message"),
  published_at: optional<string>("time", "when QStash accepted it"),
  ended_at: optional<string>("time", "when it ended"),
} satisfies Fields;

export type ReplayItemAnswer = AnswerOf<typeof REPLAY_ITEM_FIELDS>;
