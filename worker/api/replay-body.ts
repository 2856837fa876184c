/** Parses the body of `POST /api/replays`. Throws `invalid_request` naming the field; one wrong field refuses the whole body. */
import * as z from "zod/mini";
import { REPLAY_EVENT_IDS_MAX, REPLAY_RATE } from "../../shared/api.ts";
import type { ReplayRequest, Selection } from "../replays/request.ts";
import { invalid, printable } from "./parameters.ts";
import { EventIds, FILTER_EXPECTED, FilterShape, parseFilter } from "./selection.ts";
import { MAPPED, type Mend } from "../replays/mended-record.ts";

/**
 * WorkOS documents no grammar for action names. They appear in a URL path, so we accept only characters that need no escaping. Our
 * choice.
 */
const ACTION = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const DROPPED = /^(?:(?:actor|targets)\.)?metadata\.[a-zA-Z0-9_-]{1,40}$/;

const text = z.string().check(z.minLength(1), z.maxLength(1_000));

const action = z.string().check(z.maxLength(200), z.regex(ACTION));
const name = z.string().check(z.trim(), z.minLength(1), z.maxLength(100));
// Not `z.record`: it also supports numeric and enum keys, and is as large as the rest of this file.
const mapping = <T extends z.ZodMiniType<string>>(of: T) =>
  z.optional(z.catchall(z.object({}), of).check(z.refine((map) => Object.keys(map).every(isText))));
const isText = (value: string) => text.safeParse(value).success;

const Body = z.strictObject({
  event_ids: z.optional(EventIds),
  filter: z.optional(FilterShape),
  all: z.optional(z.literal(true)),
  plan: z.optional(z.string().check(z.regex(/^pl_[0-9a-f]{32}$/))),
  dry_run: z.optional(z.boolean()),
  accept_duplicates: z.optional(z.boolean()),
  name: z.optional(name),
  rate: z.optional(z.number().check(z.gte(REPLAY_RATE.min), z.lte(REPLAY_RATE.max))),
  stop_on_error_rate: z.optional(z.number().check(z.gte(0), z.lte(1))),
  set: z.optional(z.strictObject({ action: z.optional(action), organization: z.optional(text) })),
  drop: z.optional(z.array(z.string().check(z.regex(DROPPED))).check(z.minLength(1), z.maxLength(150))),
  map: z.optional(
    z.strictObject({
      action: mapping(action),
      organization: mapping(text),
      "actor.type": mapping(text),
      "targets.type": mapping(text),
    }),
  ),
});

const EXPECTED: Readonly<Record<string, string>> = {
  event_ids: `must be a list of 1 to ${REPLAY_EVENT_IDS_MAX} event ids`,
  filter: "must be an object",
  ...FILTER_EXPECTED,
  all: "must be true",
  plan: 'must be the "plan.id" that a dry run returned',
  dry_run: "must be true or false",
  accept_duplicates: "must be true or false",
  name: "must be 1 to 100 characters",
  rate: `must be a number from ${REPLAY_RATE.min} to ${REPLAY_RATE.max}`,
  stop_on_error_rate: "must be a number from 0 to 1",
  "set.action": 'must be 1 to 200 letters, digits, ".", "_" or "-", such as "user.created"',
  drop: 'must be a list of "metadata.<key>", "actor.metadata.<key>" or "targets.metadata.<key>"',
  map: `must map values of ${MAPPED.join(", ")}`,
  "map.action": 'must map to 1 to 200 letters, digits, ".", "_" or "-"',
};

export function parseReplayRequest(body: unknown): ReplayRequest {
  const parsed = Body.safeParse(body);
  if (!parsed.success) throw wrongField(parsed.error.issues[0]);
  const { data } = parsed;
  const [beside] = Object.keys(data).filter((name) => name !== "plan" && name !== "dry_run");
  if (data.plan !== undefined && (beside !== undefined || data.dry_run === true)) {
    throw invalid('"plan" must be the only field: it stands for all fields of the dry run');
  }
  const asked = Object.fromEntries(
    Object.entries(body as Record<string, unknown>).filter(([key]) =>
      ["event_ids", "filter", "all", "plan"].includes(key),
    ),
  );
  return {
    selection: selectionOf(data),
    asked,
    dryRun: data.dry_run ?? false,
    acceptDuplicates: data.accept_duplicates ?? false,
    name: data.name,
    rate: data.rate ?? REPLAY_RATE.default,
    stopOnErrorRate: data.stop_on_error_rate,
    mend: mendOf(data),
  };
}

function selectionOf({ event_ids, filter, all, plan }: z.infer<typeof Body>): Selection {
  if (plan !== undefined) return { kind: "plan", planId: plan };
  if ([event_ids, filter, all].filter((given) => given !== undefined).length !== 1) {
    throw invalid(
      'exactly one of "event_ids", "filter" and "all" must be given; "all": true replays every dead letter',
    );
  }
  if (event_ids) return { kind: "event_ids", eventIds: [...new Set(event_ids)] };
  if (!filter) return { kind: "all" };
  return { kind: "filter", filter: parseFilter(filter) };
}

function mendOf({ set, drop, map }: z.infer<typeof Body>): Mend | undefined {
  for (const [field, given] of [
    ["set", set],
    ["map", map],
  ] as const) {
    if (given && Object.values(given).every((value) => value === undefined))
      throw invalid(`"${field}" must hold at least one field`);
  }
  for (const field of ["action", "organization"] as const) {
    if (set?.[field] !== undefined && map?.[field])
      throw invalid(`"set.${field}" and "map.${field}" exclude each other`);
  }
  return set || drop || map ? { set, drop, map } : undefined;
}

function wrongField(issue: z.core.$ZodIssue | undefined) {
  const path = (issue?.path ?? []).filter((part) => typeof part === "string");
  if (issue?.code === "unrecognized_keys") {
    return invalid(`"${[...path, printable(issue.keys[0] ?? "")].join(".")}" is not a field of this request`);
  }
  if (path.length === 0) return invalid("the body must be a JSON object");
  const field = path.slice(0, 2).join(".");
  return invalid(`"${printable(field)}" ${EXPECTED[field] ?? "must be 1 to 1000 characters"}`);
}
