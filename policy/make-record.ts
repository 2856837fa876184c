/** Makes the record of a captured request: meaning, privacy, shape. Everything here runs after the response. */
import type { AuditRecord, GatewayInfo, Party, Stage } from "../shared/record.ts";
import { outcomeOfStatus } from "../shared/record.ts";
import { shapeRecord } from "../shared/shape.ts";
import { credentialOf, defaultActor, describePlan, type Meaning, type MutableParty, recordOf } from "./describe.ts";
import type { GatewayContext, GatewayRequest } from "./gateway.ts";
import type { Omittable, Options } from "./options.ts";
import type { Plan } from "./plan.ts";
import type { Ports } from "./ports.ts";
import { hideValues, type Hider } from "./privacy.ts";
import type { AuditDescription, AuditLogCode, AuditParty, AuditSubject } from "./public-types.ts";
import { isScalar, type Seen } from "./selector.ts";

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
  readonly statusSource?: "before_sending_hooks";
  readonly headers: Headers;
  /** The user of the last request object of the chain: authentication may have replaced the first. */
  readonly user: unknown;
  readonly body: Promise<unknown> | undefined;
}

export interface Maker {
  readonly ports: Pick<Ports, "sha256">;
  readonly options: Pick<Options, "organizationId" | "redact">;
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
    const meaning = describePlan(capture.plan, seen, fallbackOf(capture, seen, maker), maker.options.redact);
    if (maker.describe) await describeByCode(meaning, capture, ending, maker.describe);
    if (!ending) forget(meaning.missing, "$response.");
    const record = fill(frame, meaning, capture, seen, maker);
    return await finish(await hideValues(record, meaning.origins, maker.hider), maker);
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
  return {
    id: capture.id,
    stage,
    occurredAtMs: capture.startedMs,
    ...(ending ? { durationMs: Math.max(ending.endedMs - capture.startedMs, 0), status: ending.status } : {}),
    ...(ending?.statusSource ? { statusSource: ending.statusSource } : {}),
    outcome: outcomeOfStatus(ending?.status),
    method: request.method,
    route: context.route.path,
    action: defaultAction(undefined, request.method, context.route.path),
    actor: { id: "unknown", type: "unknown" },
    targets: [{ id: context.route.path, type: "route" }],
    assurance: plan.assurance,
    ...(capture.parentId === undefined ? {} : { parentId: capture.parentId }),
    gateway: maker.gateway,
    sequence: capture.sequence,
  };
}

async function lookAt({ request, plan, body }: Capture, ending: Ending | undefined): Promise<Seen> {
  return {
    user: ending ? ending.user : request.user,
    params: request.params,
    query: request.query,
    headers: request.headers,
    ...(plan.body ? { body: await body } : {}),
    ...(ending ? { response: { status: ending.status, headers: ending.headers, body: await ending.body } } : {}),
  };
}

function fallbackOf({ context, request }: Capture, seen: Seen, { options, omit }: Maker) {
  const { operationId } = recordOf(context.route.raw());
  const { name, metadata, ...actor } = defaultActor(seen.user);
  return {
    action: defaultAction(operationId, request.method, context.route.path),
    organization: options.organizationId,
    actor: {
      ...actor,
      ...(name === undefined || omit.has("name") ? {} : { name }),
      ...(metadata === undefined || omit.has("role") ? {} : { metadata }),
    },
    target: { id: context.route.path, type: "route" },
  };
}

/** The action of a route that names none: its operation id, else its method and path in words. */
export function defaultAction(operationId: unknown, method: string, path: string): string {
  if (typeof operationId === "string" && operationId !== "") return operationId.replaceAll(/[^\w.-]+/g, "_");
  const words = path
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .split("/")
    .map((part) => part.replaceAll(/[^\w-]+/g, "_").replaceAll(/^_+|_+$/g, ""))
    .filter(Boolean);
  return [method, ...words].join(".").toLowerCase();
}

async function describeByCode(
  meaning: Meaning,
  capture: Capture,
  ending: Ending | undefined,
  describe: NonNullable<AuditLogCode["describe"]>,
): Promise<void> {
  try {
    const said = await describe(subjectOf(capture, ending));
    if (typeof said === "object") merge(meaning, said);
  } catch {
    meaning.missing.push("describe");
  }
}

function subjectOf({ id, request, context }: Capture, ending: Ending | undefined): AuditSubject {
  const { operationId } = recordOf(context.route.raw());
  const user = (ending ? ending.user : request.user) as AuditSubject["user"];
  return {
    eventId: id,
    ...(typeof operationId === "string" ? { operationId } : {}),
    method: request.method,
    url: request.url,
    params: request.params,
    query: request.query,
    headers: request.headers,
    ...(user ? { user } : {}),
    ...(ending ? { response: { status: ending.status, headers: ending.headers } } : {}),
    custom: context.custom ?? {},
  };
}

function merge(meaning: Meaning, said: AuditDescription): void {
  if (typeof said.action === "string") meaning.action = said.action;
  if (typeof said.organization === "string") meaning.organization = said.organization;
  if (said.actor) mergeParty(meaning.actor, said.actor);
  if (Array.isArray(said.targets)) {
    meaning.targets = said.targets.map((target) => mergeParty({ id: "unknown", type: "unknown" }, target));
  }
  Object.assign(meaning.metadata, said.metadata);
}

function mergeParty(party: MutableParty, { id, type, name, metadata }: AuditParty): MutableParty {
  party.id = textOf(id) ?? party.id;
  party.type = textOf(type) ?? party.type;
  party.name = textOf(name) ?? party.name;
  if (metadata) party.metadata = { ...party.metadata, ...metadata };
  return party;
}

/** Code may be plain JavaScript, so that an id may be a number after all. */
function textOf(value: unknown): string | undefined {
  return isScalar(value) ? String(value) : undefined;
}

function forget(missing: string[], prefix: string): void {
  missing.splice(0, missing.length, ...missing.filter((text) => !text.startsWith(prefix)));
}

function fill(frame: Frame, meaning: Meaning, capture: Capture, seen: Seen, { omit }: Maker): AuditRecord {
  const { headers } = capture.request;
  const properties = recordOf(capture.context.incomingRequestProperties);
  const text = (name: Omittable, value: unknown) =>
    typeof value === "string" && value !== "" && !omit.has(name) ? { [name]: value } : {};
  const trace = headers.get("traceparent") ?? "";
  const credential = omit.has("credential") ? undefined : credentialOf(headers, seen.user);
  const geo = omit.has("geo") ? undefined : geoOf(properties);
  return {
    ...frame,
    action: meaning.action,
    ...(meaning.organization === undefined ? {} : { organization: meaning.organization }),
    actor: withoutGaps(meaning.actor),
    targets: meaning.targets.map(withoutGaps),
    ...(Object.keys(meaning.metadata).length > 0 ? { metadata: meaning.metadata } : {}),
    ...text("ip", properties["ip"]),
    ...text("userAgent", headers.get("user-agent")),
    ...text("requestId", capture.context.requestId),
    ...text(
      "traceparent",
      /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(trace) ? trace : undefined,
    ),
    ...(geo ? { geo } : {}),
    ...(credential ? { credential } : {}),
    ...(meaning.missing.length > 0 ? { missing: [...new Set(meaning.missing)] } : {}),
  };
}

function withoutGaps({ id, type, name, metadata }: MutableParty): Party {
  return { id, type, ...(name === undefined ? {} : { name }), ...(metadata ? { metadata } : {}) };
}

function geoOf({ country, region, city }: Readonly<Record<string, unknown>>): AuditRecord["geo"] {
  const places = Object.entries({ country, region, city }).filter(
    ([, place]) => typeof place === "string" && place !== "",
  );
  return places.length > 0 ? Object.fromEntries(places) : undefined;
}

/** Hash of a cut value: the first 128 bits of its SHA-256, in hexadecimal. */
const CUT_HASH_BYTES = 16;

async function finish(record: AuditRecord, { ports }: Maker): Promise<AuditRecord> {
  const { record: shaped, cuts } = shapeRecord(record);
  if (cuts.length === 0) return shaped;
  const truncated = await Promise.all(
    cuts.map(async ({ field, whole }) => `${field}:${hex((await ports.sha256(whole)).subarray(0, CUT_HASH_BYTES))}`),
  );
  return { ...shaped, truncated };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
