/**
 * Parses the body of `POST /api/dead-letters/discard`. Throws `invalid_request` naming the field; one wrong field refuses the whole
 * body.
 */
import * as z from "zod/mini";
import { DISCARD_MAX } from "../../shared/api.ts";
import type { Filter } from "../dead-letters/query.ts";
import { invalid, printable } from "./parameters.ts";
import { EventIds, FilterShape, parseFilter, wrongFilter } from "./selection.ts";
import { wholeNumber } from "../whole-number.ts";

/** Which dead letters to discard, and why. */
export interface DiscardRequest {
  readonly selection: { readonly eventIds: readonly string[] } | { readonly filter: Filter };
  /** Absent in a dry run. */
  readonly reason?: string;
  /** The number of dead letters that the operator was shown; absent with `event_ids` and in a dry run. */
  readonly count?: number;
}

export const Reason = z.string().check(z.trim(), z.minLength(1), z.maxLength(500));

const Body = z.strictObject({
  event_ids: z.optional(EventIds),
  filter: z.optional(FilterShape),
  all: z.optional(z.literal(true)),
  reason: z.optional(Reason),
  count: z.optional(wholeNumber.check(z.gte(0), z.lte(DISCARD_MAX))),
  dry_run: z.optional(z.boolean()),
});

const EXPECTED: Readonly<Record<string, string>> = {
  event_ids: `must be a list of 1 to ${DISCARD_MAX} event ids`,
  filter: "must be an object",
  all: "must be true",
  reason: "must be 1 to 500 characters",
  count: `must be a whole number from 0 to ${DISCARD_MAX}`,
  dry_run: "must be true or false",
};

export function parseDiscardRequest(body: unknown): DiscardRequest {
  const parsed = Body.safeParse(body);
  if (!parsed.success) throw wrongField(parsed.error.issues[0]);
  const { event_ids, filter, all, reason, count, dry_run } = parsed.data;
  if ([event_ids, filter, all].filter((given) => given !== undefined).length !== 1) {
    throw invalid(
      'exactly one of "event_ids", "filter" and "all" must be given; "all": true discards every dead letter',
    );
  }
  const selection = event_ids ? { eventIds: [...new Set(event_ids)] } : { filter: filter ? parseFilter(filter) : {} };
  if (dry_run === true) return { selection };
  if (reason === undefined) throw invalid('"reason" must be 1 to 500 characters');
  if (event_ids) return { selection, reason };
  if (count === undefined) throw invalid('"count" must be the count that a dry run returned');
  return { selection, reason, count };
}

function wrongField(issue: z.core.$ZodIssue | undefined) {
  const [field = ""] = (issue?.path ?? []).filter((part) => typeof part === "string");
  if (field === "filter") return wrongFilter(issue);
  if (issue?.code === "unrecognized_keys")
    return invalid(`"${printable(issue.keys[0] ?? "")}" is not a field of this request`);
  if (field === "") return invalid("the body must be a JSON object");
  return invalid(`"${printable(field)}" ${EXPECTED[field] ?? "is malformed"}`);
}
