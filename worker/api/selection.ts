/** How a body selects dead letters: by event ids or by a filter. */
import * as z from "zod/mini";
import { REPLAY_EVENT_IDS_MAX } from "../../shared/api.ts";
import { DEAD_LETTER_CLASSES } from "../../shared/dead-letter.ts";
import type { AuditError } from "../../shared/errors.ts";
import { isEventReference } from "../../shared/event-id.ts";
import type { Filter } from "../dead-letters/query.ts";
import { invalid, printable, Time } from "./parameters.ts";
import { wholeNumber } from "../whole-number.ts";

const text = z.string().check(z.minLength(1), z.maxLength(1_000));
const oneOrMore = <T extends z.ZodMiniType>(of: T) =>
  z.optional(
    z.pipe(
      z.transform((value) => (Array.isArray(value) ? value : [value])),
      z.array(of).check(z.minLength(1), z.maxLength(1_000)),
    ),
  );
const status = z.union([z.literal("none"), wholeNumber.check(z.gte(0), z.lte(999))]);

export const EventIds = z
  .array(z.string().check(z.refine(isEventReference)))
  .check(z.minLength(1), z.maxLength(REPLAY_EVENT_IDS_MAX));

export const FilterShape = z.strictObject({
  class: oneOrMore(z.enum(DEAD_LETTER_CLASSES)),
  action: oneOrMore(text),
  organization: oneOrMore(text),
  route: oneOrMore(text),
  reason: oneOrMore(text),
  status: oneOrMore(status),
  since: z.optional(Time),
  until: z.optional(Time),
});

/** What each field of a filter must be; the others are strings. */
export const FILTER_EXPECTED: Readonly<Record<string, string>> = {
  "filter.class": `must be one or more of ${DEAD_LETTER_CLASSES.join(", ")}`,
  "filter.status": 'must be a number or "none", or a list of them',
  "filter.since": "must be an ISO 8601 time with a zone",
  "filter.until": "must be an ISO 8601 time with a zone",
};

/** Throws `invalid_request` for a filter without fields, which would match everything, and for a period that ends before it begins. */
export function parseFilter(filter: z.infer<typeof FilterShape>): Filter {
  const { since, until, ...rest } = filter;
  if (Object.values(filter).every((value) => value === undefined)) {
    throw invalid('"filter" must hold at least one field; "all": true means every dead letter');
  }
  if (since !== undefined && until !== undefined && since >= until)
    throw invalid('"filter.since" must be before "filter.until"');
  return { ...rest, sinceMs: since, untilMs: until };
}

/** The error for a malformed filter. */
export function wrongFilter(issue: z.core.$ZodIssue | undefined): AuditError {
  const path = (issue?.path ?? []).filter((part) => typeof part === "string").slice(0, 2);
  if (issue?.code === "unrecognized_keys") {
    return invalid(`"${[...path, printable(issue.keys[0] ?? "")].join(".")}" is not a field of this request`);
  }
  if (path.length < 2) return invalid('"filter" must be an object');
  const field = path.join(".");
  return invalid(`"${printable(field)}" ${FILTER_EXPECTED[field] ?? "must be 1 to 1000 characters"}`);
}
