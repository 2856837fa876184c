/** Makes the records of a captured request: meaning, privacy, shape. All of it runs after the response. */
import { toHex } from "../shared/bytes.ts";
import { compact } from "../shared/compact.ts";
import { isIpAddress } from "../shared/ip-address.ts";
import type { AuditRecord, GatewayInfo, Stage } from "../shared/record.ts";
import { outcomeOfStatus } from "../shared/record.ts";
import { firstNames, type Shaped } from "../shared/shape.ts";
import {
  credentialOf,
  defaultActor,
  describePart,
  type Fallback,
  filled,
  type Meaning,
  type MutableParty,
  NOBODY,
  without,
} from "./meaning.ts";
import { TRACEPARENT } from "../shared/wire-text.ts";
import { type Capture, type Ending, lookAt, markBodies, PATIENCE_MS } from "./capture.ts";
import { OUTCOMES } from "./description.ts";
import type { Omittable, Options } from "./options.ts";
import { partsOf, type RequestPart } from "./request-parts.ts";
import { type Ports, within } from "./ports.ts";
import { hideAndShape, type PrivacySettings } from "./privacy.ts";
import type { AuditDescription, AuditLogCode, AuditParty, AuditSubject } from "./public-types.ts";
import { objectOf, type Seen, textOf } from "./selector.ts";

export interface RecordSettings {
  readonly ports: Pick<Ports, "sha256" | "timer">;
  readonly options: Pick<Options, "organizationId">;
  readonly omit: ReadonlySet<Omittable>;
  readonly privacy: PrivacySettings;
  readonly gateway: GatewayInfo;
  readonly describe: AuditLogCode["describe"];
}

/** Makes the records of a request; never throws. A part that cannot be made is listed in `missing`. */
export async function makeRecords(
  capture: Capture,
  stage: Stage,
  ending: Ending | undefined,
  settings: RecordSettings,
): Promise<readonly AuditRecord[]> {
  try {
    const { seen, marks } = await lookAt(capture, ending, settings.ports);
    const { left, dropped, skipped } = partsOf(capture.plan, seen);
    // A record that was already sent must not stay without its outcome.
    const parts = left.length === 0 && capture.isIdentified() ? skipped.slice(0, 1).map(({ part }) => part) : left;
    const made = parts.map((part) =>
      makeRecord(part, dropped, capture, frameOf(capture, part.place, stage, ending, settings), ending, settings),
    );
    return (await Promise.all(made)).map((record) => markBodies(record, marks));
  } catch {
    return [{ ...frameOf(capture, "", stage, ending, settings), missing: ["record"] }];
  }
}

async function makeRecord(
  part: RequestPart,
  dropped: number,
  capture: Capture,
  frame: Frame,
  ending: Ending | undefined,
  settings: RecordSettings,
): Promise<AuditRecord> {
  try {
    const meaning = describePart(part, fallbackOf(frame, part, settings), await hashesOf(part, settings));
    if (dropped > 0) meaning.truncated.push(`records:+${dropped}`);
    if (settings.describe) await describeByCode(meaning, frame.id, capture, ending, settings.describe, settings);
    const record = fill(frame, meaning, capture, part.seen, settings);
    return await markCuts(await hideAndShape(record, meaning.origins, settings.privacy), settings);
  } catch {
    return { ...frame, missing: ["record"] };
  }
}

/** Hash of a text: the first 128 bits of its SHA-256, in hexadecimal. */
async function hashOf(text: string, { ports }: RecordSettings): Promise<string> {
  return toHex((await ports.sha256(text)).subarray(0, 16));
}

async function hashesOf({ reading }: RequestPart, settings: RecordSettings): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const [name, text] of Object.entries(reading?.hashed ?? {})) hashes[name] = await hashOf(text, settings);
  return hashes;
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
  | "requestCount"
  | "outcome"
  | "assurance"
> &
  Pick<AuditRecord, "parentId" | "gateway" | "sequence" | "action" | "organization" | "actor" | "targets">;

function frameOf(
  capture: Capture,
  place: string,
  stage: Stage,
  ending: Ending | undefined,
  settings: RecordSettings,
): Frame {
  const { request, context, plan } = capture;
  const { id, sequence } = capture.identify(place);
  return compact({
    id,
    sequence,
    stage,
    occurredAtMs: capture.startedMs,
    durationMs: ending && Math.max(ending.endedMs - capture.startedMs, 0),
    status: ending?.status,
    statusSource: ending?.statusSource,
    requestCount: ending?.requestCount,
    outcome: outcomeOfStatus(ending?.status),
    method: request.method,
    route: context.route.path,
    action: defaultAction(objectOf(context.route.raw())["operationId"], request.method, context.route.path),
    actor: NOBODY,
    organization: settings.options.organizationId,
    targets: [{ id: context.route.path, type: "route" }],
    assurance: plan.assurance,
    parentId: id === capture.id() ? capture.parentId : capture.id(),
    gateway: settings.gateway,
  });
}

function fallbackOf(
  { action, organization, targets }: Frame,
  { seen, reading }: RequestPart,
  settings: RecordSettings,
): Fallback {
  return {
    action: reading?.action ?? action,
    organization,
    actor: defaultActor(seen.user, settings.omit),
    targets: reading?.target ? [{ ...NOBODY, ...compact(reading.target) }] : targets,
  };
}

/** The action of a route that names none: its operation id, or its method and path in words. */
export function defaultAction(operationId: unknown, method: string, path: string): string {
  if (typeof operationId === "string" && operationId) return operationId.replaceAll(/[^\w.-]+/g, "_");
  return `${method}${path}`.toLowerCase().replaceAll(/\W+/g, ".").replace(/\.$/, "");
}

async function describeByCode(
  meaning: Meaning,
  eventId: string,
  { request, context }: Capture,
  ending: Ending | undefined,
  describe: NonNullable<AuditLogCode["describe"]>,
  { ports }: RecordSettings,
): Promise<void> {
  const { user } = ending ?? request;
  const subject = { eventId, request, context, user, response: ending } as unknown as AuditSubject;
  try {
    const said = await within(ports, PATIENCE_MS, (async () => (await describe(subject)) ?? {})());
    // A late result counts as missing, and throws here: "no description" would be an empty description.
    merge(meaning, said as AuditDescription);
  } catch {
    meaning.missing.push("describe");
  }
}

function merge(meaning: Meaning, said: AuditDescription): void {
  const { action, organization, actor, targets, metadata, outcome } = said;
  meaning.action = textOf(action) ?? meaning.action;
  meaning.organization = textOf(organization) ?? meaning.organization;
  mergeParty(meaning.actor, actor ?? {});
  if (targets) meaning.targets = targets.map((target) => mergeParty({ ...NOBODY }, target));
  if (outcome && OUTCOMES.includes(outcome)) meaning.outcome = outcome;
  Object.assign(meaning.metadata, compact(metadata ?? {}));
}

function mergeParty(party: MutableParty, { id, type, name, metadata }: AuditParty): MutableParty {
  party.id = textOf(id) ?? party.id;
  party.type = textOf(type) ?? party.type;
  party.name = textOf(name) ?? party.name;
  party.metadata = filled({ ...party.metadata, ...compact(metadata ?? {}) });
  return party;
}

function fill(frame: Frame, meaning: Meaning, capture: Capture, seen: Seen, { omit }: RecordSettings): AuditRecord {
  const { headers } = capture.request;
  const { ip, country, region, city } = objectOf(capture.context.incomingRequestProperties);
  const trace = headers.get("traceparent") ?? "";
  // Selectors that cannot resolve yet are not reported.
  const unusable = ip && !addressOf(ip) && !omit.has("ip") ? ["ip"] : [];
  const missing = [...new Set([...meaning.missing, ...unusable])].filter(
    (name) => seen.response ?? !name.startsWith("$response."),
  );
  const optional = {
    ip: addressOf(ip),
    userAgent: textOf(headers.get("user-agent")),
    requestId: textOf(capture.context.requestId),
    traceparent: TRACEPARENT.test(trace) ? trace : undefined,
    geo: filled(compact({ country: textOf(country), region: textOf(region), city: textOf(city) })),
    credential: credentialOf(headers, seen.user),
  };
  return compact({
    ...frame,
    ...without(omit, optional),
    // The outcome is never guessed before the request has ended.
    outcome: seen.response ? (meaning.outcome ?? frame.outcome) : frame.outcome,
    action: meaning.action,
    organization: meaning.organization,
    actor: compact(seen.response ? meaning.actor : asKnownSoFar(meaning.actor)),
    targets: meaning.targets.map((target) => compact(target)),
    metadata: filled(meaning.metadata),
    missing: filled(missing),
    truncated: filled(meaning.truncated),
  });
}

/** Before the request has ended, a caller without a user may still sign in: the event must not claim that nobody did. */
function asKnownSoFar(actor: MutableParty): MutableParty {
  if (actor.id !== "anonymous" && actor.id !== NOBODY.id) return actor;
  return { ...actor, metadata: { ...actor.metadata, known: "before_sign_in" } };
}

/** Some proxies pass a client-supplied header as its address, so only a valid address counts. */
function addressOf(ip: unknown): string | undefined {
  return typeof ip === "string" && isIpAddress(ip) ? ip : undefined;
}

async function markCuts({ record, cuts }: Shaped, settings: RecordSettings): Promise<AuditRecord> {
  if (cuts.length === 0) return record;
  const marks = await Promise.all(cuts.map(async ({ field, whole }) => `${field}:${await hashOf(whole, settings)}`));
  return { ...record, truncated: firstNames([...(record.truncated ?? []), ...marks]) };
}
