/** The routes of the replays. `docs/api.md` describes them. */
import * as z from "zod/mini";
import { REPLAY_OUTCOMES } from "../../shared/api.ts";
import type { OperatorActionName } from "../../shared/operator-actions.ts";
import type { Party } from "../../shared/record.ts";
import type { PlanRefusal } from "../replays/stored-plan.ts";
import { replays } from "../replays/client.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { invalid, limitTo, onceEach, printable } from "./parameters.ts";
import { AuditError } from "../../shared/errors.ts";
import { jsonAnswer } from "../http/answers.ts";
import { jsonOf, OPERATOR_BODY_MAX_BYTES } from "../http/json.ts";
import type { RouteContext, Route } from "../http/route.ts";
import { recordOperatorEvent } from "../operator-event.ts";
import type { Control } from "../replays/control.ts";
import { parseReplayRequest } from "./replay-body.ts";
import { itemView, replayView } from "./replay-view.ts";

const ListQuery = z.strictObject({
  limit: limitTo(100),
  cursor: z.optional(z.string()),
});
const ItemsQuery = z.strictObject({
  outcome: z.optional(z.enum(REPLAY_OUTCOMES)),
  limit: limitTo(1_000),
  cursor: z.optional(z.string()),
});

export const replayRoutes: readonly Route[] = [
  { method: "POST", path: "/api/replays", access: "operate", bodyMaxBytes: OPERATOR_BODY_MAX_BYTES, handle: create },
  { method: "GET", path: "/api/replays", access: "read", handle: list },
  { method: "GET", path: "/api/replays/:id", access: "read", handle: show },
  { method: "GET", path: "/api/replays/:id/items", access: "read", handle: items },
  ...(["pause", "resume", "cancel"] as const).map((name): Route => ({
    method: "POST",
    path: `/api/replays/:id/${name}`,
    access: "operate",
    handle: (context) => control(context, name),
  })),
];

async function create(context: RouteContext): Promise<Response> {
  const { body, env, operator } = context;
  const asked = parseReplayRequest(jsonOf(body));
  const created = await replays(env).createReplay(asked, operator.name);
  if (created.kind === "refused") throw refusedPlan(created.plan);
  const { id, state, plan, name, acceptDuplicates, isMending } = created;
  if (id === null) return jsonAnswer({ id, state, plan });
  const { send, skip, duplicates_possible } = plan;
  await recordOperatorEvent(context, {
    action: "audit_forwarder.replay_started",
    route: "/api/replays",
    target: replayTarget(id, name),
    metadata: {
      send,
      skip,
      duplicates_possible,
      accept_duplicates: acceptDuplicates,
      mend: isMending,
    },
  });
  return jsonAnswer({ id, state, plan }, 201);
}

function refusedPlan(refusal: PlanRefusal): AuditError {
  if (refusal === "unknown") return new AuditError("not_found", '"plan" is unknown; make a dry run again');
  const why = refusal === "used" ? "was used already" : "is older than 15 minutes";
  return new AuditError("conflict", `"plan" ${why}; make a dry run again`);
}

async function list({ url, env }: RouteContext): Promise<Response> {
  const query = parse(ListQuery, url.searchParams, { limit: "must be a whole number from 1 to 100" });
  const limit = query.limit ?? 20;
  const rows = await replays(env).replays(limit + 1, position(query.cursor)?.[0]);
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return jsonAnswer({
    replays: shown.map((row) => replayView(row, false)),
    ...(last ? { cursor: encodeCursor([last.seq, last.id]) } : {}),
  });
}

async function show({ env, params }: RouteContext): Promise<Response> {
  const replay = await replays(env).replay(params["id"] ?? "");
  if (!replay) throw notFound();
  return jsonAnswer(replayView(replay, true));
}

async function items({ url, env, params }: RouteContext): Promise<Response> {
  const expected = {
    outcome: `must be one of ${REPLAY_OUTCOMES.join(", ")}`,
    limit: "must be a whole number from 1 to 1000",
  };
  const query = parse(ItemsQuery, url.searchParams, expected);
  const limit = query.limit ?? 100;
  const after = position(query.cursor)?.[1] ?? "";
  const rows = await replays(env).replayItems(params["id"] ?? "", query.outcome, limit + 1, after);
  if (!rows) throw notFound();
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return jsonAnswer({ items: shown.map(itemView), ...(last ? { cursor: encodeCursor([0, last.event_id]) } : {}) });
}

const CONTROL_ACTIONS: Readonly<Record<Control, OperatorActionName>> = {
  pause: "audit_forwarder.replay_paused",
  resume: "audit_forwarder.replay_resumed",
  cancel: "audit_forwarder.replay_cancelled",
};

async function control(context: RouteContext, name: Control): Promise<Response> {
  const { env, params, operator } = context;
  const result = await replays(env).controlReplay(params["id"] ?? "", name, operator.name);
  if (result.kind === "not_found") throw notFound();
  if (result.kind === "conflict") throw new AuditError("conflict", `the replay is ${result.state}`);
  if (result.changed) {
    const target = replayTarget(result.replay.id, undefined);
    await recordOperatorEvent(context, { action: CONTROL_ACTIONS[name], route: `/api/replays/:id/${name}`, target });
  }
  return jsonAnswer(replayView(result.replay, true));
}

function replayTarget(id: string, name: string | undefined): Party {
  return { id, type: "replay", ...(name === undefined ? {} : { name }) };
}

function position(cursor: string | undefined) {
  const found = cursor === undefined ? undefined : decodeCursor(cursor);
  if (cursor !== undefined && !found) throw invalid('"cursor" must be one that this route returned');
  return found;
}

function parse<T extends z.ZodMiniType>(
  shape: T,
  search: URLSearchParams,
  expected: Record<string, string>,
): z.infer<T> {
  const parsed = shape.safeParse(onceEach(search));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue?.code === "unrecognized_keys")
    throw invalid(`"${printable(issue.keys[0] ?? "")}" is not a parameter of this route`);
  const name = String(issue?.path[0] ?? "query");
  throw invalid(`"${name}" ${expected[name] ?? "is malformed"}`);
}

function notFound(): AuditError {
  return new AuditError("not_found", "there is no such replay");
}
