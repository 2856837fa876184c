/**
 * The compact form of a message on the queue. Every field of a record has one short key; what all records of a message share
 * stands once (`g`), and a string that occurs more than once stands in a table (`s`) and is referred to by its index.
 *
 * | key | field | key | field |
 * | --- | --- | --- | --- |
 * | id | event id | q | sequence |
 * | k | stage: i intent, w watchdog | t | occurredAtMs, where the id does not hold it |
 * | d | durationMs | a | action |
 * | o | organization | u | actor `[id, type, name, metadata]` |
 * | tg | targets, each as the actor | m | metadata |
 * | h | method | r | route |
 * | c | status | cs | status source: b before sending hooks |
 * | x | outcome, where the status does not say it | ip | client ip |
 * | ua | user agent | l | geo `[country, region, city]` |
 * | n | request id | p | traceparent |
 * | y | assurance: d durable, r required | z | parent event id |
 * | e | credential `[kind, keyId]` | j | missing |
 * | f | truncated | rp | replay mark |
 */
import { eventIdTimeMs } from "./event-id.ts";
import type { AuditRecord, Credential, GatewayInfo, Metadata, Party, ReplayMark } from "./record.ts";
import { outcomeOfStatus } from "./record.ts";

/** A string, or the index of one in the message's table. */
export type Ref = string | number;
export type WireParty = readonly [id: Ref, type?: Ref | null, name?: Ref | null, metadata?: Metadata | null];

export interface WireRecord {
  readonly id: string;
  readonly q?: number | undefined;
  readonly k?: "i" | "w" | undefined;
  readonly t?: number | undefined;
  readonly d?: number | undefined;
  readonly a: Ref;
  readonly o?: Ref | undefined;
  readonly u?: WireParty | undefined;
  readonly tg?: readonly WireParty[] | undefined;
  readonly m?: Metadata | undefined;
  readonly h: Ref;
  readonly r: Ref;
  readonly c?: number | undefined;
  readonly cs?: "b" | undefined;
  readonly x?: AuditRecord["outcome"] | undefined;
  readonly ip?: Ref | undefined;
  readonly ua?: Ref | undefined;
  readonly l?: readonly (Ref | null)[] | undefined;
  readonly n?: Ref | undefined;
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
  readonly g: readonly [string, string, (string | null)?, (string | null)?];
  readonly s?: readonly string[] | undefined;
  readonly records: readonly WireRecord[];
}

type Ref2 = (text: string) => Ref;

/** Packs records of one gateway isolate into a message; all records must share `gateway`. */
export function encodeMessage(records: readonly AuditRecord[]): WireMessage {
  const counts = new Map<string, number>();
  for (const record of records) packRecord(record, (text) => (counts.set(text, (counts.get(text) ?? 0) + 1), text));
  // A reference costs up to three characters, so a string shorter than that gains nothing.
  const table = [...counts].filter(([text, count]) => count > 1 && text.length > 3).map(([text]) => text);
  const indexes = new Map(table.map((text, index) => [text, index]));
  const packed = records.map((record) => packRecord(record, (text) => indexes.get(text) ?? text));
  const { isolateId, policyVersion, environment, build } = records[0]?.gateway ?? { isolateId: "", policyVersion: "" };
  const g: WireMessage["g"] = build
    ? [isolateId, policyVersion, environment ?? null, build]
    : environment
      ? [isolateId, policyVersion, environment]
      : [isolateId, policyVersion];
  return { v: 1, g, ...(table.length > 0 ? { s: table } : {}), records: packed };
}

function packRecord(record: AuditRecord, ref: Ref2): WireRecord {
  const some = (text: string | undefined): Ref | undefined => (text === undefined ? undefined : ref(text));
  return {
    id: record.id,
    q: record.sequence || undefined,
    k: record.stage === "intent" ? "i" : record.stage === "watchdog" ? "w" : undefined,
    t: eventIdTimeMs(record.id) === record.occurredAtMs ? undefined : record.occurredAtMs,
    d: record.durationMs,
    a: ref(record.action),
    o: some(record.organization),
    u: isAnonymous(record.actor) ? undefined : packParty(record.actor, ref),
    tg: record.targets.length > 0 ? record.targets.map((target) => packParty(target, ref)) : undefined,
    m: record.metadata,
    h: ref(record.method),
    r: ref(record.route),
    c: record.status,
    cs: record.statusSource === undefined ? undefined : "b",
    x: record.outcome === outcomeOfStatus(record.status) ? undefined : record.outcome,
    ip: some(record.ip),
    ua: some(record.userAgent),
    l: record.geo && [record.geo.country, record.geo.region, record.geo.city].map((text) => some(text) ?? null),
    n: some(record.requestId),
    p: some(record.traceparent),
    y: record.assurance === "durable" ? "d" : record.assurance === "required" ? "r" : undefined,
    z: some(record.parentId),
    e:
      record.credential &&
      [record.credential.kind, ...(record.credential.keyId ? [record.credential.keyId] : [])].map(ref),
    j: record.missing?.length ? record.missing.map(ref) : undefined,
    f: record.truncated?.length ? record.truncated.map(ref) : undefined,
    rp: record.replay,
  };
}

function isAnonymous(actor: Party): boolean {
  return actor.id === "anonymous" && actor.type === "anonymous" && !actor.name && !actor.metadata;
}

function packParty({ id, type, name, metadata }: Party, ref: Ref2): WireParty {
  if (metadata) return [ref(id), ref(type), name === undefined ? null : ref(name), metadata];
  if (name !== undefined) return [ref(id), ref(type), ref(name)];
  return type === "user" ? [ref(id)] : [ref(id), ref(type)];
}

/**
 * Unpacks one record of a message whose shape is already checked. A reference outside the table, like a field that is
 * missing, throws a RangeError: the record is unreadable.
 */
export function decodeRecord(wire: WireRecord, message: Pick<WireMessage, "g" | "s">): AuditRecord {
  const text = (ref: Ref): string => {
    const found = typeof ref === "number" ? message.s?.[ref] : ref;
    if (found === undefined) throw new RangeError('"s" has no string at the index that a record refers to');
    return found;
  };
  const [country, region, city] = (wire.l ?? []).map((ref) => (ref === null ? undefined : text(ref)));
  return compact({
    id: wire.id,
    stage: wire.k === "i" ? "intent" : wire.k === "w" ? "watchdog" : "outcome",
    occurredAtMs: wire.t ?? timeInId(wire.id),
    durationMs: wire.d,
    action: text(wire.a),
    organization: wire.o === undefined ? undefined : text(wire.o),
    actor: wire.u ? unpackParty(wire.u, text) : { id: "anonymous", type: "anonymous" },
    targets: (wire.tg ?? []).map((target) => unpackParty(target, text)),
    metadata: wire.m,
    method: text(wire.h),
    route: text(wire.r),
    status: wire.c,
    statusSource: wire.cs === undefined ? undefined : "before_sending_hooks",
    outcome: wire.x ?? outcomeOfStatus(wire.c),
    ip: wire.ip === undefined ? undefined : text(wire.ip),
    userAgent: wire.ua === undefined ? undefined : text(wire.ua),
    geo: wire.l && compact({ country, region, city }),
    requestId: wire.n === undefined ? undefined : text(wire.n),
    traceparent: wire.p === undefined ? undefined : text(wire.p),
    assurance: wire.y === "d" ? "durable" : wire.y === "r" ? "required" : "best-effort",
    parentId: wire.z === undefined ? undefined : text(wire.z),
    credential: wire.e && unpackCredential(wire.e.map(text)),
    missing: wire.j?.map(text),
    truncated: wire.f?.map(text),
    gateway: gatewayOf(message.g),
    sequence: wire.q ?? 0,
    replay: wire.rp,
  }) as AuditRecord;
}

function timeInId(id: string): number {
  const ms = eventIdTimeMs(id);
  if (ms === undefined) throw new RangeError('"t" is missing and "id" holds no time');
  return ms;
}

function unpackParty([id, type, name, metadata]: WireParty, text: (ref: Ref) => string): Party {
  return compact({
    id: text(id),
    type: type === undefined || type === null ? "user" : text(type),
    name: name === undefined || name === null ? undefined : text(name),
    metadata: metadata ?? undefined,
  }) as Party;
}

function unpackCredential([kind = "", keyId]: readonly string[]): Credential {
  return keyId === undefined ? { kind } : { kind, keyId };
}

function gatewayOf([isolateId, policyVersion, environment, build]: WireMessage["g"]): GatewayInfo {
  return compact({
    isolateId,
    policyVersion,
    environment: environment ?? undefined,
    build: build ?? undefined,
  }) as GatewayInfo;
}

/** Leaves out the fields that are undefined, so that equal records are equal as values too. */
function compact<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Partial<T>;
}
