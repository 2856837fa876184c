/** Parses the query of `GET /api/dead-letters`. Throws `invalid_request` naming the parameter. */
import * as z from "zod/mini";
import { PAGE_DEFAULT, PAGE_MAX, WHOLE_PAGE_MAX } from "../../shared/api.ts";
import {
  DEAD_LETTER_CLASSES,
  DEAD_LETTER_GROUPS,
  DEAD_LETTER_STATES,
  type DeadLetterGroup,
  type DeadLetterState,
} from "../../shared/dead-letter.ts";
import type { AuditError } from "../../shared/errors.ts";
import type { Filter, Position } from "../dead-letters/query.ts";
import { decodeCursor } from "./cursor.ts";
import { invalid, limitTo, onceEach, printable, Time } from "./parameters.ts";

const commaSeparated = <T extends string>(values: readonly [T, ...T[]]) =>
  z.pipe(
    z.transform((text) => (typeof text === "string" ? text.split(",") : text)),
    z.array(z.enum(values)).check(z.minLength(1)),
  );
const flag = z.pipe(
  z.enum(["true", "false"]),
  z.transform((text) => text === "true"),
);
const text = z.string().check(z.minLength(1), z.maxLength(1_000));
const Status = z.union([z.literal("none"), z.pipe(z.string().check(z.regex(/^\d{1,3}$/)), z.transform(Number))]);

const Query = z.strictObject({
  class: z.optional(commaSeparated(DEAD_LETTER_CLASSES)),
  state: z.optional(commaSeparated(DEAD_LETTER_STATES)),
  action: z.optional(text),
  organization: z.optional(text),
  route: z.optional(text),
  reason: z.optional(text),
  status: z.optional(Status),
  since: z.optional(Time),
  until: z.optional(Time),
  limit: limitTo(PAGE_MAX),
  cursor: z.optional(z.string()),
  group_by: z.optional(z.enum(DEAD_LETTER_GROUPS)),
  whole: z.optional(flag),
  reveal: z.optional(flag),
});

interface ListQuery {
  readonly filter: Filter;
  readonly states: readonly DeadLetterState[] | undefined;
  readonly limit: number;
  readonly after: Position | undefined;
  readonly groupBy: DeadLetterGroup | undefined;
  readonly whole: boolean;
  readonly reveal: boolean;
}

const EXPECTED: Readonly<Record<string, string>> = {
  class: `must be one or more of ${DEAD_LETTER_CLASSES.join(", ")}`,
  state: `must be one or more of ${DEAD_LETTER_STATES.join(", ")}`,
  status: 'must be a number or "none"',
  since: 'must be an ISO 8601 time with a zone, such as "2026-11-23T01:00:00Z"',
  until: 'must be an ISO 8601 time with a zone, such as "2026-11-23T01:00:00Z"',
  limit: `must be a whole number from 1 to ${PAGE_MAX}`,
  group_by: `must be one of ${DEAD_LETTER_GROUPS.join(", ")}`,
  whole: 'must be "true" or "false"',
  reveal: 'must be "true" or "false"',
};

/** Parses and checks the whole query; refuses an unknown or repeated parameter. */
export function parseListQuery(search: URLSearchParams): ListQuery {
  const parsed = Query.safeParse(onceEach(search));
  if (!parsed.success) throw wrongParameter(parsed.error.issues[0]);
  const { state, since, until, limit, cursor, group_by, whole = false, reveal = false, ...rest } = parsed.data;
  if (since !== undefined && until !== undefined && since >= until) throw invalid('"since" must be before "until"');
  if (reveal && !whole) throw invalid('"reveal" needs "whole" in a list');
  if (group_by && (cursor !== undefined || whole))
    throw invalid('"group_by" cannot be combined with "cursor" or "whole"');
  if (whole && (limit ?? 0) > WHOLE_PAGE_MAX) throw invalid(`"limit" must be at most ${WHOLE_PAGE_MAX} with "whole"`);
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  if (cursor !== undefined && !after) throw invalid('"cursor" must be one that this route returned');
  const filter: Filter = {
    class: rest.class,
    action: listOf(rest.action),
    organization: listOf(rest.organization),
    route: listOf(rest.route),
    reason: listOf(rest.reason),
    status: listOf(rest.status),
    sinceMs: since,
    untilMs: until,
  };
  return { filter, states: state, limit: limit ?? PAGE_DEFAULT, after, groupBy: group_by, whole, reveal };
}

function listOf<T>(value: T | undefined): readonly T[] | undefined {
  return value === undefined ? undefined : [value];
}

function wrongParameter(issue: z.core.$ZodIssue | undefined): AuditError {
  if (issue?.code === "unrecognized_keys")
    return invalid(`"${printable(issue.keys[0] ?? "")}" is not a parameter of this route`);
  const name = String(issue?.path[0] ?? "query");
  return invalid(`"${name}" ${EXPECTED[name] ?? "must be 1 to 1000 characters"}`);
}
