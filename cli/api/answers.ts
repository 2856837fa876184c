/** The worker's answers, as docs/api.md describes them. Fields that the CLI only passes on are left out. */
import * as z from "zod";
import {
  DEAD_LETTER_FIELDS,
  INCIDENT_FIELDS,
  PAST_FAILURE_FIELDS,
  REPLAY_STATES,
  WHOLE_FIELDS,
} from "../../shared/api.ts";
import { PLAN_FIELDS, REPLAY_FIELDS } from "../../shared/replay-answers.ts";
import { schemaOf } from "./schema.ts";

const DEAD_LETTER_NEEDED = ["event_id", "state", "class", "wrote", "reason", "attempts", "parked_at"] as const;

export const DeadLetter = schemaOf(DEAD_LETTER_FIELDS, DEAD_LETTER_NEEDED);
export type DeadLetter = z.infer<typeof DeadLetter>;

export const DeadLetterPage = z.looseObject({ dead_letters: z.array(DeadLetter), cursor: z.string().optional() });

export const WholeDeadLetter = schemaOf({ ...DEAD_LETTER_FIELDS, ...WHOLE_FIELDS }, DEAD_LETTER_NEEDED).extend({
  record: z.record(z.string(), z.unknown()).optional(),
  hidden: z.array(z.string()).default([]),
  history: z.array(schemaOf(PAST_FAILURE_FIELDS, ["class", "reason"])).default([]),
});
export type WholeDeadLetter = z.infer<typeof WholeDeadLetter>;
export const WholePage = z.looseObject({ dead_letters: z.array(WholeDeadLetter), cursor: z.string().optional() });

export const Groups = z.looseObject({
  group_by: z.string(),
  groups: z.array(
    z.looseObject({
      value: z.union([z.string(), z.number()]).nullable(),
      count: z.number(),
      oldest_parked_at: z.string().optional(),
      newest_parked_at: z.string().optional(),
    }),
  ),
  total: z.number(),
});

export const DiscardCount = z.looseObject({ count: z.number() });
export const Discards = z.looseObject({
  discarded: z.number(),
  skipped: z.number(),
  skip_reasons: z.record(z.string(), z.number()).default({}),
});

export const Imported = z.looseObject({
  imported: z.number(),
  known: z.number(),
  refused: z.array(z.looseObject({ line: z.number(), code: z.string(), detail: z.string() })),
});
export type Imported = z.infer<typeof Imported>;

const Counts = z.record(z.string(), z.number());

/** Fields that an older worker omits have defaults. */
export const Plan = schemaOf(PLAN_FIELDS, ["send", "skip"]).extend({
  skip_reasons: Counts.default({}),
  by_class: Counts.default({}),
  by_action: Counts.default({}),
  by_organization: Counts.default({}),
  age: Counts.default({}),
  duplicates_possible: z.number().default(0),
  needs_accept_duplicates: z.boolean().default(false),
});
export type Plan = z.infer<typeof Plan>;

export const Planned = z.looseObject({ id: z.string().nullable(), state: z.string(), plan: Plan });

const Receipt = z.looseObject({
  replay_id: z.string(),
  counts: z.looseObject({
    total: z.number(),
    delivered: z.number(),
    failed_again: z.number(),
    skipped: z.number(),
  }),
  skip_reasons: Counts.default({}),
});

export const Replay = schemaOf(REPLAY_FIELDS, ["id", "progress"]).extend({
  state: z.enum(REPLAY_STATES),
  receipt: Receipt.optional(),
});
export type Replay = z.infer<typeof Replay>;

export const ReplayPage = z.looseObject({ replays: z.array(Replay), cursor: z.string().optional() });

/** Who did what during an incident. */
const Action = z.looseObject({ action: z.string(), by: z.string(), at: z.string() });
export const Incidents = z.looseObject({
  incidents: z.array(
    schemaOf(INCIDENT_FIELDS, ["kind", "detail", "since"]).extend({ actions: z.array(Action).default([]) }),
  ),
});
