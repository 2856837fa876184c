/** The worker's answers, as docs/api.md describes them. Fields that the CLI only passes on are not listed. */
import * as z from "zod";
import { DEAD_LETTER_FIELDS, REPLAY_STATES } from "../../shared/api.ts";
import { schemaOf } from "./schema.ts";

export const DeadLetter = schemaOf(DEAD_LETTER_FIELDS, [
  "event_id",
  "state",
  "class",
  "wrote",
  "reason",
  "attempts",
  "parked_at",
]);
export type DeadLetter = z.infer<typeof DeadLetter>;

export const DeadLetterPage = z.looseObject({ dead_letters: z.array(DeadLetter), cursor: z.string().optional() });

export const WholeDeadLetter = DeadLetter.extend({
  hidden: z.array(z.string()).default([]),
  record: z.record(z.string(), z.unknown()).optional(),
  body: z.string().optional(),
  body_bytes: z.number().optional(),
  mended: z.array(z.string()).optional(),
  history: z
    .array(z.looseObject({ class: z.string(), reason: z.string(), parked_at: z.string().optional() }))
    .default([]),
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

export const Plan = z.looseObject({
  /** Confirms exactly this plan. */
  id: z.string().optional(),
  send: z.number(),
  skip: z.number(),
  skip_reasons: Counts.default({}),
  by_class: Counts.default({}),
  by_action: Counts.default({}),
  by_organization: Counts.default({}),
  age: Counts.default({}),
  duplicates_possible: z.number().default(0),
  needs_accept_duplicates: z.boolean().default(false),
  rate: z.number().optional(),
  seconds: z.number().optional(),
  mend: z
    .looseObject({
      changed: z.number(),
      unchanged: z.number(),
      sample: z.array(
        z.looseObject({
          event_id: z.string(),
          changes: z.array(z.looseObject({ field: z.string(), from: z.unknown(), to: z.unknown() })),
        }),
      ),
    })
    .optional(),
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

export const Replay = z.looseObject({
  id: z.string(),
  state: z.enum(REPLAY_STATES),
  name: z.string().optional(),
  progress: z.looseObject({
    total: z.number(),
    published: z.number(),
    delivered: z.number(),
    failed_again: z.number(),
    skipped: z.number(),
  }),
  problem: z.string().optional(),
  receipt: Receipt.optional(),
});
export type Replay = z.infer<typeof Replay>;
