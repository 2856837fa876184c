/** The query of `GET /api/dead-letters`, parsed once. Throws `invalid_request` naming the parameter. */
import * as z from "zod/mini";
// By its own name, because bundlers take the whole of `z.iso` along.
import { _isoDateTime } from "zod/v4/core";
import { AuditError } from "../../shared/errors.ts";
import { decodeCursor, type Position } from "./cursor.ts";
import { GROUPS, type Filter, type GroupBy } from "./query.ts";
import type { DeadLetterState } from "./row.ts";

export const CLASSES = ["rejected", "exhausted", "credential", "unreadable"] as const;
const STATES = ["open", "replaying", "delivered", "discarded"] as const;
/** Largest page, and largest page of whole entries. Our choice. */
const LIMIT_MAX = 500;
const WHOLE_LIMIT_MAX = 100;

const commaSeparated = <T extends string>(values: readonly [T, ...T[]]) =>
  z.pipe(
    z.transform((text) => (typeof text === "string" ? text.split(",") : text)),
    z.array(z.enum(values)).check(z.minLength(1)),
  );
const flag = z.pipe(
  z.enum(["true", "false"]),
  z.transform((text) => text === "true"),
);
/** ISO 8601 with a zone; ms since the epoch. */
export const Time = z.pipe(
  _isoDateTime(z.ZodMiniISODateTime, { offset: true }),
  z.transform((text: string) => Date.parse(text)),
);
/** The size of a page, from 1. */
export function limitTo(max: number) {
  return z.optional(z.pipe(z.transform(Number), z.int().check(z.gte(1), z.lte(max))));
}
const text = z.string().check(z.minLength(1), z.maxLength(1_000));
const Status = z.union([z.literal("none"), z.pipe(z.string().check(z.regex(/^\d{1,3}$/)), z.transform(Number))]);

const Query = z.strictObject({
  class: z.optional(commaSeparated(CLASSES)),
  state: z.optional(commaSeparated(STATES)),
  action: z.optional(text),
  organization: z.optional(text),
  route: z.optional(text),
  reason: z.optional(text),
  status: z.optional(Status),
  since: z.optional(Time),
  until: z.optional(Time),
  limit: limitTo(LIMIT_MAX),
  cursor: z.optional(z.string()),
  group_by: z.optional(z.enum(GROUPS)),
  whole: z.optional(flag),
  reveal: z.optional(flag),
});

export interface ListQuery {
  readonly filter: Filter;
  readonly states: readonly DeadLetterState[] | undefined;
  readonly limit: number;
  readonly after: Position | undefined;
  readonly groupBy: GroupBy | undefined;
  readonly whole: boolean;
  readonly reveal: boolean;
}

const EXPECTED: Readonly<Record<string, string>> = {
  class: `must be one or more of ${CLASSES.join(", ")}`,
  state: `must be one or more of ${STATES.join(", ")}`,
  status: 'must be a number or "none"',
  since: 'must be an ISO 8601 time with a zone, such as "2026-11-23T01:00:00Z"',
  until: 'must be an ISO 8601 time with a zone, such as "2026-11-23T01:00:00Z"',
  limit: `must be a whole number from 1 to ${LIMIT_MAX}`,
  group_by: `must be one of ${GROUPS.join(", ")}`,
  whole: 'must be "true" or "false"',
  reveal: 'must be "true" or "false"',
};

/** Parses and checks the whole query; an unknown parameter, or one given twice, is refused. */
export function parseListQuery(search: URLSearchParams): ListQuery {
  const parsed = Query.safeParse(onceEach(search));
  if (!parsed.success) throw wrongParameter(parsed.error.issues[0]);
  const { state, since, until, limit, cursor, group_by, whole = false, reveal = false, ...rest } = parsed.data;
  if (since !== undefined && until !== undefined && since >= until) throw invalid('"since" must be before "until"');
  if (reveal && !whole) throw invalid('"reveal" needs "whole" in a list');
  if (group_by && (cursor !== undefined || whole)) throw invalid('"group_by" goes without "cursor" and "whole"');
  if (whole && (limit ?? 0) > WHOLE_LIMIT_MAX) throw invalid(`"limit" must be at most ${WHOLE_LIMIT_MAX} with "whole"`);
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  if (cursor !== undefined && !after) throw invalid('"cursor" must be one that this route has answered');
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
  return { filter, states: state, limit: limit ?? 50, after, groupBy: group_by, whole, reveal };
}

function listOf<T>(value: T | undefined): readonly T[] | undefined {
  return value === undefined ? undefined : [value];
}

/** The parameters as an object; refuses one that is there twice. */
export function onceEach(search: URLSearchParams): Record<string, string> {
  const names = [...search.keys()];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`"${printable(twice)}" must be given at most once`);
  return Object.fromEntries(search);
}

function wrongParameter(issue: z.core.$ZodIssue | undefined): AuditError {
  if (issue?.code === "unrecognized_keys")
    return invalid(`"${printable(issue.keys[0] ?? "")}" is not a parameter of this route`);
  const name = String(issue?.path[0] ?? "query");
  return invalid(`"${name}" ${EXPECTED[name] ?? "must be 1 to 1000 characters"}`);
}

/** The refusal of wrong use; `message` names the field in quotes. */
export function invalid(message: string): AuditError {
  return new AuditError("invalid_request", message);
}

/** A name from outside, short and without control characters or quotes. */
export function printable(name: string): string {
  return name.replaceAll(/[^ -~]|"/g, "?").slice(0, 40);
}
