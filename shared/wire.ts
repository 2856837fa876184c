/**
 * The compact form of a message on the queue, and the only codec for it; `packed.ts` makes it smaller where it holds several
 * records. Besides its `id`, a record holds its common fields by position in `c`, where 0 means absent; rare fields have
 * one-letter keys. What all records of a message share stands once in `g`.
 *
 * `c` = `[sequence, durationMs, status, method, route, action, organization, actor, targets, ip, user agent, request id, credential,
 * geo, traceparent]`; what is absent at its end is left out. A party is `id` (type `user`), or `[id, type, name?, metadata?]`, where
 * type 0 is `user`, or `[id, metadata]`; one target stands alone, several in a list.
 *
 * | key | field | key | field |
 * | --- | --- | --- | --- |
 * | k | stage: i intent, w watchdog | t | occurredAtMs, where the id does not hold it |
 * | b | 1: status before sending hooks | x | outcome, where the status does not say it |
 * | m | metadata | y | assurance: d durable, r required |
 * | z | parent event id | rp | replay mark |
 * | j | missing | f | truncated |
 *
 * Still read, no longer written: l geo `[country, region, city]`, p traceparent, e credential `[kind, keyId?]`; and the message's
 * table `s` of strings that occur more than once, to which a number in the place of a string refers, counted from 1: metadata and
 * geo stand there as JSON.
 */
import { compact } from "./compact.ts";
import { eventIdTimeMs } from "./event-id.ts";
import type { AuditRecord, Credential, GatewayInfo, Metadata, Party, ReplayMark } from "./record.ts";
import { outcomeOfStatus } from "./record.ts";
import { CREDENTIAL_KINDS, METHODS, packId, packUserAgent, unpackId, unpackUserAgent } from "./wire-text.ts";

/** A string; 0 is absent. In an older message, the number of a string in its table. */
type Ref = string | number;

export interface WireRecord {
  readonly id: string;
  readonly c: readonly unknown[];
  readonly k?: "i" | "w" | undefined;
  readonly t?: number | undefined;
  readonly b?: 1 | undefined;
  readonly x?: AuditRecord["outcome"] | undefined;
  readonly m?: Metadata | number | undefined;
  readonly l?: readonly Ref[] | undefined;
  readonly p?: Ref | undefined;
  readonly y?: "d" | "r" | undefined;
  readonly z?: Ref | undefined;
  readonly e?: readonly Ref[] | undefined;
  readonly j?: readonly Ref[] | undefined;
  readonly f?: readonly Ref[] | undefined;
  readonly rp?: ReplayMark | undefined;
}

export interface WireMessage {
  readonly v: 1;
  /** `[isolate id, policy version, environment, build]` */
  readonly g: readonly (string | null)[];
  readonly s?: readonly string[] | undefined;
  readonly records: readonly WireRecord[];
}

/** Makes a message of records of one gateway isolate; all must share `gateway`. */
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
    z: record.parentId,
    j: record.missing,
    f: record.truncated,
    rp: record.replay,
  };
}

/** A known kind is a negative number, which no reference of older messages was. */
function packCredential({ kind, keyId }: Credential): unknown {
  const code = -(CREDENTIAL_KINDS.indexOf(kind) + 1) || kind;
  return keyId === undefined ? code : [code, keyId];
}

/** True for the actor that stands for nobody, which costs one character on the wire. */
function isAnonymous(actor: Party): boolean {
  return actor.id === "anonymous" && actor.type === "anonymous" && actor.name === undefined && !actor.metadata;
}

function packParty({ id, type, name, metadata }: Party): unknown {
  const given = type === "user" ? 0 : type;
  if (given === 0 && name === undefined && metadata) return [id, metadata];
  const packed = trim([id, given, name ?? 0, metadata ?? 0], 0);
  return packed.length > 1 ? packed : id;
}

/** One target stands alone where its first element tells it from a list. */
function packTargets(targets: readonly Party[]): unknown {
  if (targets.length === 0) return 0;
  const parties = targets.map(packParty);
  return parties.length === 1 && Array.isArray(parties[0]) ? parties[0] : [parties];
}

function trim<T>(values: readonly T[], absent: T): readonly T[] {
  return values.slice(0, values.findLastIndex((value) => value !== absent) + 1);
}

/**
 * Unpacks one record of a message. Whatever cannot have been made by `encodeMessage` (a reference outside the table, a field
 * that is missing or of a wrong type) throws a RangeError: the record is unreadable.
 */
export function decodeRecord(wire: WireRecord, message: Pick<WireMessage, "g" | "s">): AuditRecord {
  const { text, some, list, shared } = readers(message.s ?? []);
  const c = wire.c;
  if (!Array.isArray(c)) throw new RangeError('"c" must be a list');
  const method = typeof c[3] === "number" ? METHODS[c[3] - 1] : c[3];
  const userAgent = some(c[10]);
  const requestId = some(c[11]);
  const traceparent = some(c[14] ?? wire.p);
  const geo = c[13] ? shared(c[13]) : wire.l?.map(some);
  const credential = c[12] || wire.e;
  const status = c[2] === 0 || c[2] === undefined ? undefined : whole(c[2], "status");
  const party = (packed: unknown) => unpackParty(packed, text, shared);
  return compact({
    id: wire.id,
    stage: stageOf(wire.k),
    occurredAtMs: wire.t === undefined ? timeInId(wire.id) : whole(wire.t, "t"),
    durationMs: c[1] === null ? undefined : whole(c[1] ?? 0, "durationMs"),
    action: text(c[5]),
    organization: some(c[6]),
    actor: c[7] === 0 || c[7] === undefined ? { id: "anonymous", type: "anonymous" } : party(c[7]),
    targets: unpackTargets(c[8]).map(party),
    metadata: unpackMetadata(shared(wire.m)),
    method: text(method),
    route: text(c[4]),
    status,
    statusSource: wire.b === undefined ? undefined : ("before_sending_hooks" as const),
    outcome: wire.x ?? outcomeOfStatus(status),
    ip: some(c[9]),
    userAgent: userAgent === undefined ? undefined : unpackUserAgent(userAgent),
    geo: Array.isArray(geo) ? unpackGeo(geo) : undefined,
    requestId: requestId === undefined ? undefined : unpackId(requestId),
    traceparent: traceparent === undefined ? undefined : unpackId(traceparent),
    assurance: assuranceOf(wire.y),
    parentId: some(wire.z),
    credential: credential ? unpackCredential(credential, text) : undefined,
    missing: list(wire.j),
    truncated: list(wire.f),
    gateway: gatewayOf(message.g),
    sequence: whole(c[0] ?? 0, "sequence"),
    replay: wire.rp,
  });
}

function stageOf(letter: WireRecord["k"]): AuditRecord["stage"] {
  return letter === "i" ? "intent" : letter === "w" ? "watchdog" : "outcome";
}

function assuranceOf(letter: WireRecord["y"]): AuditRecord["assurance"] {
  return letter === "d" ? "durable" : letter === "r" ? "required" : "best-effort";
}

function readers(table: readonly string[]) {
  const text = (ref: unknown): string => {
    const found = typeof ref === "number" ? table[ref - 1] : ref;
    if (typeof found !== "string") throw new RangeError('a field is missing, or "s" has no string of its number');
    return found;
  };
  const some = (ref: unknown): string | undefined => (ref === 0 || ref === undefined ? undefined : text(ref));
  const list = (refs: readonly unknown[] | undefined): readonly string[] | undefined => refs?.map(text);
  const shared = (value: unknown): unknown =>
    typeof value === "number" ? (JSON.parse(text(value)) as unknown) : value;
  return { text, some, list, shared };
}

/** A city that is named as its region is 1. */
function unpackGeo(packed: readonly unknown[]): NonNullable<AuditRecord["geo"]> {
  const [country, region, city] = packed.map((place) => (typeof place === "string" ? place : undefined));
  return compact({ country, region, city: packed[2] === 1 ? region : city });
}

function unpackCredential(packed: unknown, text: (ref: unknown) => string): Credential {
  const [kind, keyId] = (Array.isArray(packed) ? packed : [packed]) as readonly unknown[];
  const known = typeof kind === "number" ? CREDENTIAL_KINDS[-kind - 1] : undefined;
  return compact({ kind: known ?? text(kind), keyId: keyId === undefined ? undefined : text(keyId) });
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

function whole(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new RangeError(`"${name}" must be a number`);
  return value;
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

function unpackParty(packed: unknown, text: (ref: unknown) => string, shared: (value: unknown) => unknown): Party {
  if (!Array.isArray(packed)) return { id: text(packed), type: "user" };
  const [id, second, name, fourth] = packed as readonly unknown[];
  const [type, more] = typeof second === "object" ? [0, second] : [second, fourth];
  return compact({
    id: text(id),
    type: type === 0 ? "user" : text(type),
    name: name === undefined || name === 0 ? undefined : text(name),
    metadata: unpackMetadata(shared(more)),
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
