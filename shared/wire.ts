/**
 * The compact form of a message on the queue, and its only codec. `packed.ts` deflates a message of many records.
 *
 * A record is its `id`, its common fields by position in `c`, and a one-letter key for each rare field. The message holds in `g`
 * what all its records share. In `c`, 0 means absent, and absent values at the end are left out:
 *
 * `[sequence, durationMs, status, method, route, action, organization, actor, targets, ip, user agent, request id, credential,
 * geo, traceparent]`
 *
 * A party is `id` (type `user`), `[id, metadata]` (type `user`), or `[id, type, name?, metadata?]`, where type 0 means `user`. One
 * target stands alone; several are a list in a list. A credential is its kind, or `[kind, keyId]`; a known kind is a negative number.
 *
 * | key | field | key | field |
 * | --- | --- | --- | --- |
 * | k | stage: i intent, w watchdog | t | occurredAtMs, if the id does not hold it |
 * | b | 1: status before sending hooks | x | outcome, if the status does not imply it |
 * | m | metadata | y | assurance: d durable, r required |
 * | z | parent event id | rp | replay mark |
 * | j | missing | f | truncated |
 * | n | requestCount | | |
 */
import { compact } from "./compact.ts";
import { eventIdTimeMs } from "./event-id.ts";
import type { AuditRecord, Credential, GatewayInfo, Metadata, Party, ReplayMark } from "./record.ts";
import { outcomeOfStatus } from "./record.ts";
import { CREDENTIAL_KINDS, METHODS, packId, packUserAgent, unpackId, unpackUserAgent } from "./wire-text.ts";

export interface WireRecord {
  readonly id: string;
  readonly c: readonly unknown[];
  readonly k?: "i" | "w" | undefined;
  readonly t?: number | undefined;
  readonly b?: 1 | undefined;
  readonly x?: AuditRecord["outcome"] | undefined;
  readonly m?: Metadata | undefined;
  readonly y?: "d" | "r" | undefined;
  readonly n?: number | undefined;
  readonly z?: string | undefined;
  readonly j?: readonly string[] | undefined;
  readonly f?: readonly string[] | undefined;
  readonly rp?: ReplayMark | undefined;
}

export interface WireMessage {
  readonly v: 1;
  /** `[isolate id, policy version, environment, build]` */
  readonly g: readonly (string | null)[];
  readonly records: readonly WireRecord[];
}

/** Encodes records of one gateway isolate as a message. All must have the same `gateway`. */
export function encodeMessage(records: readonly AuditRecord[]): WireMessage {
  const { isolateId, policyVersion, environment, build }: Partial<GatewayInfo> = records[0]?.gateway ?? {};
  const g = trim([isolateId ?? "", policyVersion ?? "", environment ?? null, build ? packId(build) : null], null);
  return { v: 1, g, records: records.map(encodeRecord) };
}

function encodeRecord(record: AuditRecord): WireRecord {
  const { credential, geo, stage, assurance } = record;
  const c = [
    record.sequence,
    record.durationMs ?? null,
    record.status,
    METHODS.indexOf(record.method) + 1 || record.method,
    record.route,
    record.action,
    record.organization,
    isAnonymous(record.actor) ? 0 : packParty(record.actor),
    packTargets(record.targets),
    record.ip,
    record.userAgent && packUserAgent(record.userAgent),
    record.requestId && packId(record.requestId),
    credential && packCredential(credential),
    geo && [geo.country ?? 0, geo.region ?? 0, geo.city === geo.region ? 1 : (geo.city ?? 0)],
    record.traceparent && packId(record.traceparent),
  ].map((value = 0) => value);
  return {
    id: record.id,
    c: trim(c, 0),
    k: stage === "outcome" ? undefined : (stage.charAt(0) as "i" | "w"),
    t: eventIdTimeMs(record.id) === record.occurredAtMs ? undefined : record.occurredAtMs,
    b: record.statusSource && 1,
    x: record.outcome === outcomeOfStatus(record.status) ? undefined : record.outcome,
    m: record.metadata,
    y: assurance === "best-effort" ? undefined : (assurance.charAt(0) as "d" | "r"),
    n: record.requestCount,
    z: record.parentId,
    j: record.missing,
    f: record.truncated,
    rp: record.replay,
  };
}

function packCredential({ kind, keyId }: Credential): unknown {
  const code = -(CREDENTIAL_KINDS.indexOf(kind) + 1) || kind;
  return keyId === undefined ? code : [code, keyId];
}

/** True for the default actor of an unauthenticated request, which is 0 on the wire. */
function isAnonymous(actor: Party): boolean {
  return actor.id === "anonymous" && actor.type === "anonymous" && actor.name === undefined && !actor.metadata;
}

function packParty({ id, type, name, metadata }: Party): unknown {
  const given = type === "user" ? 0 : type;
  if (given === 0 && name === undefined && metadata) return [id, metadata];
  const packed = trim([id, given, name ?? 0, metadata ?? 0], 0);
  return packed.length > 1 ? packed : id;
}

/** One target is sent without a list if its first element cannot be mistaken for a target. */
function packTargets(targets: readonly Party[]): unknown {
  if (targets.length === 0) return 0;
  const parties = targets.map(packParty);
  return parties.length === 1 && Array.isArray(parties[0]) ? parties[0] : [parties];
}

function trim<T>(values: readonly T[], absent: T): readonly T[] {
  return values.slice(0, values.findLastIndex((value) => value !== absent) + 1);
}

/**
 * Decodes one record of a message; `g` is the message's. Throws a RangeError if `encodeMessage` cannot have made it, because a
 * field is missing or has a wrong type.
 */
export function decodeRecord(wire: WireRecord, g: WireMessage["g"]): AuditRecord {
  const c = wire.c;
  if (!Array.isArray(c)) throw new RangeError('"c" must be a list');
  const userAgent = optionalText(c[10], "user agent");
  const requestId = optionalText(c[11], "request id");
  const traceparent = optionalText(c[14], "traceparent");
  const status = isAbsent(c[2]) ? undefined : number(c[2], "status");
  return compact({
    id: wire.id,
    stage: stageOf(wire.k),
    occurredAtMs: wire.t === undefined ? timeInId(wire.id) : number(wire.t, "t"),
    durationMs: c[1] === null ? undefined : number(c[1] ?? 0, "durationMs"),
    action: text(c[5], "action"),
    organization: optionalText(c[6], "organization"),
    actor: isAbsent(c[7]) ? { id: "anonymous", type: "anonymous" } : unpackParty(c[7]),
    targets: unpackTargets(c[8]).map(unpackParty),
    metadata: unpackMetadata(wire.m),
    method: text(typeof c[3] === "number" ? METHODS[c[3] - 1] : c[3], "method"),
    route: text(c[4], "route"),
    status,
    statusSource: wire.b === undefined ? undefined : ("before_sending_hooks" as const),
    outcome: wire.x ?? outcomeOfStatus(status),
    requestCount: wire.n === undefined ? undefined : number(wire.n, "n"),
    ip: optionalText(c[9], "ip"),
    userAgent: userAgent === undefined ? undefined : unpackUserAgent(userAgent),
    geo: Array.isArray(c[13]) ? unpackGeo(c[13]) : undefined,
    requestId: requestId === undefined ? undefined : unpackId(requestId),
    traceparent: traceparent === undefined ? undefined : unpackId(traceparent),
    assurance: assuranceOf(wire.y),
    parentId: optionalText(wire.z, "z"),
    credential: isAbsent(c[12]) ? undefined : unpackCredential(c[12]),
    missing: wire.j?.map((name) => text(name, "j")),
    truncated: wire.f?.map((name) => text(name, "f")),
    gateway: gatewayOf(g),
    sequence: number(c[0] ?? 0, "sequence"),
    replay: wire.rp,
  });
}

function stageOf(letter: WireRecord["k"]): AuditRecord["stage"] {
  return letter === "i" ? "intent" : letter === "w" ? "watchdog" : "outcome";
}

function assuranceOf(letter: WireRecord["y"]): AuditRecord["assurance"] {
  return letter === "d" ? "durable" : letter === "r" ? "required" : "best-effort";
}

function isAbsent(value: unknown): boolean {
  return value === 0 || value === undefined;
}

function text(value: unknown, name: string): string {
  if (typeof value !== "string") throw new RangeError(`"${name}" must be a string`);
  return value;
}

function optionalText(value: unknown, name: string): string | undefined {
  return isAbsent(value) ? undefined : text(value, name);
}

function number(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new RangeError(`"${name}" must be a number`);
  return value;
}

/** A city that has the name of its region is 1. */
function unpackGeo(packed: readonly unknown[]): NonNullable<AuditRecord["geo"]> {
  const [country, region, city] = packed.map((place) => (typeof place === "string" ? place : undefined));
  return compact({ country, region, city: packed[2] === 1 ? region : city });
}

function unpackCredential(packed: unknown): Credential {
  const [kind, keyId] = (Array.isArray(packed) ? packed : [packed]) as readonly unknown[];
  const known = typeof kind === "number" ? CREDENTIAL_KINDS[-kind - 1] : undefined;
  return compact({ kind: known ?? text(kind, "credential"), keyId: optionalText(keyId, "credential.keyId") });
}

function unpackMetadata(value: unknown): Metadata | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "object" || value === null || !Object.values(value).every(isScalar)) {
    throw new RangeError('"metadata" must hold scalars only');
  }
  return value as Metadata;
}

function isScalar(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function timeInId(id: string): number {
  const ms = eventIdTimeMs(id);
  if (ms === undefined) throw new RangeError('"t" is missing and "id" holds no time');
  return ms;
}

function unpackTargets(packed: unknown): readonly unknown[] {
  if (packed === 0 || packed === undefined) return [];
  if (!Array.isArray(packed)) throw new RangeError("targets must be a list");
  return Array.isArray(packed[0]) && packed.length === 1 ? (packed[0] as readonly unknown[]) : [packed];
}

function unpackParty(packed: unknown): Party {
  if (!Array.isArray(packed)) return { id: text(packed, "id"), type: "user" };
  const [id, second, name, fourth] = packed as readonly unknown[];
  const [type, metadata] = typeof second === "object" ? [0, second] : [second, fourth];
  return compact({
    id: text(id, "id"),
    type: type === 0 ? "user" : text(type, "type"),
    name: optionalText(name, "name"),
    metadata: isAbsent(metadata) ? undefined : unpackMetadata(metadata),
  });
}

function gatewayOf([isolateId, policyVersion, environment, build]: WireMessage["g"]): GatewayInfo {
  return compact({
    isolateId: isolateId ?? "",
    policyVersion: policyVersion ?? "",
    environment: environment ?? undefined,
    build: build ? unpackId(build) : undefined,
  });
}
