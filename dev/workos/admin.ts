/** `/__dev/…`: the in-process controls, for callers in another process. Not part of WorkOS; needs no key. */
import * as z from "zod";
import { json, type Answer } from "./answers.ts";
import { faultSchema } from "./faults.ts";
import { tamper, tamperSchema } from "./tamper.ts";
import { resetWorld, type Call, type World } from "./world.ts";
import { EXPORT_LAYOUTS, type WorkosOptions } from "./types.ts";

export const ADMIN_PREFIX = "/__dev/";

const name = z.string().min(1);
const count = z.int().min(1);
const bodies = {
  clock: z.strictObject({ advance_ms: z.int() }),
  keys: z.strictObject({ api_key: name.optional(), restricted: z.array(name).optional() }),
  organizations: z.strictObject({
    organizations: z.array(name).nullable().optional(),
    states: z.record(z.string(), z.enum(["active", "inactive", "disabled"])).optional(),
  }),
  knobs: z
    .strictObject({
      strictSchemas: z.boolean(),
      unregistered: z.enum(["refuse", "drop"]),
      closedMetadata: z.boolean(),
      keepAnswers: z.enum(["success", "4xx", "all"]),
      keyReuse: z.enum(["replay", "conflict"]),
      successStatus: z.literal([200, 201]),
      bodyLimitBytes: count,
      maxTargets: count,
      exportLayout: z.enum(EXPORT_LAYOUTS),
      rateLimit: z.strictObject({ requests: count, windowMs: count, retryAfterSeconds: count.optional() }).nullable(),
    })
    .partial(),
};

type Control = (world: World, call: Call, options: WorkosOptions) => Answer;

const CONTROLS: Readonly<Record<string, Control>> = {
  "GET events": (world, call) => {
    const since = Number(call.query.get("since") ?? 0);
    return json(200, { total: world.events.length, events: world.events.slice(since) });
  },
  "GET requests": (world, call) => {
    const since = Number(call.query.get("since") ?? 0);
    return json(200, { total: world.requests.length, requests: world.requests.slice(since) });
  },
  "GET faults": (world) => json(200, { faults: world.faults.list() }),
  "POST faults": (world, call) =>
    parsed(faultSchema, call, (fault) => {
      world.faults.add(fault);
      return json(201, { faults: world.faults.list() });
    }),
  "DELETE faults": (world) => {
    world.faults.clear();
    return json(200, { faults: [] });
  },
  "POST clock": (world, call) =>
    parsed(bodies.clock, call, ({ advance_ms }) => {
      world.clock.advance(advance_ms);
      return json(200, { now_ms: world.clock.now() });
    }),
  "POST keys": (world, call) =>
    parsed(bodies.keys, call, ({ api_key, restricted }) => {
      if (api_key !== undefined) world.keys.rotate(api_key);
      for (const key of restricted ?? []) world.keys.restrict(key);
      return json(200, { ok: true });
    }),
  "POST organizations": (world, call) =>
    parsed(bodies.organizations, call, ({ organizations, states }) => {
      if (organizations !== undefined) world.organizations.set(organizations ?? undefined);
      for (const [id, state] of Object.entries(states ?? {})) world.organizations.setState(id, state);
      return json(200, { ok: true });
    }),
  "POST knobs": (world, call) =>
    parsed(bodies.knobs, call, (knobs) => {
      Object.assign(world.knobs, knobs);
      return json(200, world.knobs);
    }),
  "POST tamper": (world, call) =>
    parsed(tamperSchema, call, (change) => json(200, { changed: tamper(world.events, change) })),
  "POST reset": (world, _call, options) => {
    resetWorld(world, options);
    return json(200, { ok: true });
  },
};

/** Answers a request under `/__dev/`; an invalid body gets 400 and names the field. */
export function administer(world: World, call: Call, options: WorkosOptions): Answer {
  const name = call.path.slice(ADMIN_PREFIX.length);
  const exported = /^exports\/([^/]+)\.csv$/.exec(name);
  if (exported && call.method === "GET") return download(world, exported[1] ?? "");
  const control = CONTROLS[`${call.method} ${name}`];
  if (!control) return problem(404, "not_found", `no control "${call.method} ${name}"; see dev/workos/admin.ts`);
  return control(world, call, options);
}

function download(world: World, token: string): Answer {
  const csv = world.exports.download(token, world.clock.now());
  if (csv === undefined) return problem(404, "not_found", "the export url has expired; fetch the export again");
  return { status: 200, body: csv, headers: { "content-type": "text/csv; charset=utf-8" } };
}

function parsed<T>(schema: z.ZodType<T>, call: Call, apply: (body: T) => Answer): Answer {
  const result = schema.safeParse(call.json);
  if (result.success) return apply(result.data);
  const issue = result.error.issues[0];
  return problem(
    400,
    "invalid_request",
    `"${issue?.path.join(".") ?? ""}" is wrong: ${issue?.message ?? "not an object"}`,
  );
}

function problem(status: number, code: string, detail: string): Answer {
  return json(status, { code, detail }, { "content-type": "application/problem+json" });
}
