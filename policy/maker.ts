/** Makes the record of a captured request: meaning, privacy, shape. Everything here runs after the response. */
import { toHex } from "../shared/bytes.ts";
import { compact } from "../shared/compact.ts";
import type { AuditRecord, GatewayInfo, Stage } from "../shared/record.ts";
import { outcomeOfStatus } from "../shared/record.ts";
import { firstNames, type Shaped } from "../shared/shape.ts";
import {
  credentialOf,
  defaultActor,
  describePlan,
  type Fallback,
  filled,
  type Meaning,
  type MutableParty,
  NOBODY,
} from "./meaning.ts";
import { TRACEPARENT } from "../shared/wire-text.ts";
import type { GatewayContext, GatewayRequest } from "./gateway.ts";
import type { Omittable, Options } from "./options.ts";
import type { Plan } from "./plan.ts";
import type { Ports } from "./ports.ts";
import { hideAndShape, type Hider } from "./privacy.ts";
import type { AuditDescription, AuditLogCode, AuditParty, AuditSubject } from "./public-types.ts";
import { isScalar, recordOf, type Seen } from "./selector.ts";

/** What was kept of a request until its record is made: references only, so that keeping it costs the caller nothing. */
export interface Capture {
  readonly id: string;
  readonly sequence: number;
  readonly parentId?: string | undefined;
  readonly startedMs: number;
  readonly plan: Plan;
  /** The request as the policy got it: its URL, headers and parameters are the caller's. */
  readonly request: GatewayRequest;
  readonly context: GatewayContext;
  readonly body: Promise<unknown> | undefined;
}

/** How the request ended, as far as the gateway lets us see. */
export interface Ending {
  readonly endedMs: number;
  readonly status: number;
  readonly statusSource?: "before_sending_hooks" | undefined;
  readonly headers: Headers;
  /** The user of the last request object of the chain: authentication may have replaced the first. */
  readonly user: unknown;
  readonly body: Promise<unknown> | undefined;
}

export interface Maker {
  readonly ports: Pick<Ports, "sha256">;
  readonly options: Pick<Options, "organizationId">;
  readonly omit: ReadonlySet<Omittable>;
  readonly hider: Hider;
  readonly gateway: GatewayInfo;
  readonly describe: AuditLogCode["describe"];
}

/** Makes a record; never throws. A part that cannot be made is named in `missing`. */
export async function makeRecord(
  capture: Capture,
  stage: Stage,
  ending: Ending | undefined,
  maker: Maker,
): Promise<AuditRecord> {
  const frame = frameOf(capture, stage, ending, maker);
  try {
    const seen = await lookAt(capture, ending);
    const meaning = describePlan(capture.plan, seen, fallbackOf(frame, seen, maker));
    if (maker.describe) await describeByCode(meaning, capture, ending, maker.describe);
    const record = fill(frame, meaning, capture, seen, maker);
    return await markCuts(await hideAndShape(record, meaning.origins, maker.hider), maker);
  } catch {
    return { ...frame, missing: ["record"] };
  }
}

type Frame = Pick<
  AuditRecord,
  | "id"
  | "stage"
  | "occurredAtMs"
  | "durationMs"
  | "method"
  | "route"
  | "status"
  | "statusSource"
  | "outcome"
  | "assurance"
> &
  Pick<AuditRecord, "parentId" | "gateway" | "sequence" | "action" | "actor" | "targets">;

function frameOf(capture: Capture, stage: Stage, ending: Ending | undefined, maker: Maker): Frame {
  const { request, context, plan } = capture;
  return compact({
    id: capture.id,
    stage,
    occurredAtMs: capture.startedMs,
    durationMs: ending && Math.max(ending.endedMs - capture.startedMs, 0),
    status: ending?.status,
    statusSource: ending?.statusSource,
    outcome: outcomeOfStatus(ending?.status),
    method: request.method,
    route: context.route.path,
    action: defaultAction(recordOf(context.route.raw())["operationId"], request.method, context.route.path),
    actor: NOBODY,
    targets: [{ id: context.route.path, type: "route" }],
    assurance: plan.assurance,
    parentId: capture.parentId,
    gateway: maker.gateway,
    sequence: capture.sequence,
  });
}

async function lookAt({ request, body }: Capture, ending: Ending | undefined): Promise<Seen> {
  const { params, query, headers } = request;
  const { user } = ending ?? request;
  return { user, params, query, headers, body: await body, response: ending && { ...ending, body: await ending.body } };
}

function fallbackOf({ action, targets }: Frame, seen: Seen, { options, omit }: Maker): Fallback {
  const { name, metadata, ...actor } = defaultActor(seen.user);
  return {
    action,
    organization: options.organizationId,
    actor: compact({
      ...actor,
      name: omit.has("name") ? undefined : name,
      metadata: omit.has("role") ? undefined : metadata,
    }),
    targets,
  };
}

/** The action of a route that names none: its operation id, else its method and path in words. */
export function defaultAction(operationId: unknown, method: string, path: string): string {
  if (typeof operationId === "string" && operationId) return operationId.replaceAll(/[^\w.-]+/g, "_");
  return `${method}${path}`.toLowerCase().replaceAll(/\W+/g, ".").replace(/\.$/, "");
}

async function describeByCode(
  meaning: Meaning,
  { id, request, context }: Capture,
  ending: Ending | undefined,
  describe: NonNullable<AuditLogCode["describe"]>,
): Promise<void> {
  const { user } = ending ?? request;
  try {
    const said = await describe({ eventId: id, request, context, user, response: ending } as unknown as AuditSubject);
    if (said) merge(meaning, said);
  } catch {
    meaning.missing.push("describe");
  }
}

function merge(meaning: Meaning, { action, organization, actor, targets, metadata }: AuditDescription): void {
  meaning.action = textOf(action) ?? meaning.action;
  meaning.organization = textOf(organization) ?? meaning.organization;
  mergeParty(meaning.actor, actor ?? {});
  if (targets) meaning.targets = targets.map((target) => mergeParty({ ...NOBODY }, target));
  Object.assign(meaning.metadata, metadata);
}

function mergeParty(party: MutableParty, { id, type, name, metadata }: AuditParty): MutableParty {
  party.id = textOf(id) ?? party.id;
  party.type = textOf(type) ?? party.type;
  party.name = textOf(name) ?? party.name;
  party.metadata = filled({ ...party.metadata, ...metadata });
  return party;
}

/** Code may be plain JavaScript, so that an id may be a number after all. */
function textOf(value: unknown): string | undefined {
  return isScalar(value) ? String(value) : undefined;
}

function fill(frame: Frame, meaning: Meaning, capture: Capture, seen: Seen, { omit }: Maker): AuditRecord {
  const { headers } = capture.request;
  const { ip, country, region, city } = recordOf(capture.context.incomingRequestProperties);
  const text = (name: Omittable, value: unknown) => (omit.has(name) ? undefined : textOf(value) || undefined);
  const geo = compact({ country: text("geo", country), region: text("geo", region), city: text("geo", city) });
  const trace = headers.get("traceparent") ?? "";
  // Nobody misses what cannot be there yet.
  const missing = [...new Set(meaning.missing)].filter((name) => seen.response ?? !name.startsWith("$response."));
  return compact({
    ...frame,
    action: meaning.action,
    organization: meaning.organization,
    actor: compact(meaning.actor),
    targets: meaning.targets.map((target) => compact(target)),
    metadata: filled(meaning.metadata),
    ip: text("ip", ip),
    userAgent: text("userAgent", headers.get("user-agent")),
    requestId: text("requestId", capture.context.requestId),
    traceparent: TRACEPARENT.test(trace) ? text("traceparent", trace) : undefined,
    geo: filled(geo),
    credential: omit.has("credential") ? undefined : credentialOf(headers, seen.user),
    missing: missing.length > 0 ? missing : undefined,
  });
}

/** Hash of a cut value: the first 128 bits of its SHA-256, in hexadecimal. */
const CUT_HASH_BYTES = 16;

async function markCuts({ record, cuts }: Shaped, { ports }: Maker): Promise<AuditRecord> {
  if (cuts.length === 0) return record;
  const truncated = await Promise.all(
    cuts.map(async ({ field, whole }) => `${field}:${toHex((await ports.sha256(whole)).subarray(0, CUT_HASH_BYTES))}`),
  );
  return { ...record, truncated: firstNames(truncated) };
}
