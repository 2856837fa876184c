/**
 * Shapes records to WorkOS's limits without silent loss: whatever is cut is named, with the whole value, so that the caller can
 * mark it with a hash. Pure. The policy shapes every record; the worker shapes what it adds.
 */
import { CUSTOM_METADATA_MAX_KEYS } from "./event.ts";
import {
  ACTION_MAX_CODE_POINTS,
  EVENT_MAX_TARGETS,
  ID_MAX_CODE_POINTS,
  METADATA_KEY_MAX_CHARS,
  METADATA_MAX_KEYS,
  METADATA_VALUE_MAX_CODE_POINTS,
  MISSING_MAX,
  RECORD_MAX_BYTES,
  TEXT_MAX_CODE_POINTS,
} from "./limits.ts";
import type { AuditRecord, Metadata, MetadataValue, Party } from "./record.ts";

/** A value that was cut: its field, and the whole of it. */
export interface Cut {
  readonly field: string;
  readonly whole: string;
}

/** A piece of text as JSON, logs and WorkOS can take it: no control characters, no lone surrogates. */
export function cleanText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is taken out
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, " ").toWellFormed();
}

/** Cleans text and cuts it to a number of code points; a cut is reported under `field`. */
export function shapeText(text: string, maxCodePoints: number, field: string, cuts: Cut[]): string {
  // A code point has at most two units, so more than twice as many units need not be looked at.
  const clean = cleanText(text.length > 2 * maxCodePoints + 2 ? text.slice(0, 2 * maxCodePoints + 2) : text);
  if (text.length <= maxCodePoints) return clean;
  const points = Array.from(clean);
  if (points.length <= maxCodePoints && clean.length === text.length) return clean;
  cuts.push({ field, whole: text });
  return points.slice(0, maxCodePoints).join("");
}

/** Shapes metadata: legal keys, at most `maxKeys`, values of legal type and length. */
export function shapeMetadata(metadata: Metadata, maxKeys: number, field: string, cuts: Cut[]): Metadata | undefined {
  const shaped = new Map<string, MetadataValue>();
  const entries = Object.entries(metadata);
  for (const [key, value] of entries.slice(0, maxKeys)) {
    const name = shapeKey(key, shaped);
    if (name !== key) cuts.push({ field: `${field}.${name}`, whole: key });
    const legal = shapeValue(value, `${field}.${name}`, cuts);
    if (legal !== undefined) shaped.set(name, legal);
  }
  if (entries.length > maxKeys) cuts.push({ field, whole: JSON.stringify(entries.slice(maxKeys)) });
  return shaped.size > 0 ? Object.fromEntries(shaped) : undefined;
}

function shapeKey(key: string, taken: ReadonlyMap<string, unknown>): string {
  const legal = key.replaceAll(/[^a-zA-Z0-9_-]/g, "_").slice(0, METADATA_KEY_MAX_CHARS);
  let name = legal;
  for (let n = 2; taken.has(name); n++) name = `${legal.slice(0, METADATA_KEY_MAX_CHARS - 4)}_${n}`;
  return name;
}

function shapeValue(value: unknown, field: string, cuts: Cut[]): MetadataValue | undefined {
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return value;
  if (typeof value === "string") return shapeText(value, METADATA_VALUE_MAX_CODE_POINTS, field, cuts);
  cuts.push({ field, whole: String(value) });
  return undefined;
}

/** Shapes an actor or a target; an empty id or type becomes `unknown`. */
export function shapeParty(party: Party, field: string, cuts: Cut[]): Party {
  const text = (value: string, part: string) => shapeText(value, TEXT_MAX_CODE_POINTS, `${field}.${part}`, cuts);
  const metadata = party.metadata && shapeMetadata(party.metadata, METADATA_MAX_KEYS, `${field}.metadata`, cuts);
  return {
    id: text(party.id, "id") || "unknown",
    type: text(party.type, "type") || "unknown",
    ...(party.name ? { name: text(party.name, "name") } : {}),
    ...(metadata ? { metadata } : {}),
  };
}

export interface Shaped {
  readonly record: AuditRecord;
  readonly cuts: readonly Cut[];
}

/** Shapes a whole record to every limit and to `RECORD_MAX_BYTES`. */
export function shapeRecord(record: AuditRecord): Shaped {
  const cuts: Cut[] = [];
  const shaped = shapeFields(record, cuts);
  return { record: fitBytes(shaped, cuts), cuts };
}

function shapeFields(record: AuditRecord, cuts: Cut[]): AuditRecord {
  const { metadata: given, missing, credential, geo, ...rest } = record;
  const text = (key: "organization" | "ip" | "userAgent" | "requestId", max = TEXT_MAX_CODE_POINTS) =>
    record[key] === undefined ? {} : { [key]: shapeText(record[key], max, key, cuts) };
  const metadata = given && shapeMetadata(given, CUSTOM_METADATA_MAX_KEYS, "metadata", cuts);
  return {
    ...rest,
    action: shapeText(record.action, ACTION_MAX_CODE_POINTS, "action", cuts) || "unknown",
    actor: shapeParty(record.actor, "actor", cuts),
    targets: shapeTargets(record.targets, cuts),
    ...(metadata ? { metadata } : {}),
    method: shapeText(record.method, ID_MAX_CODE_POINTS, "method", cuts),
    route: shapeText(record.route, TEXT_MAX_CODE_POINTS, "route", cuts),
    ...text("organization"),
    ...text("ip"),
    ...text("userAgent"),
    ...text("requestId", ID_MAX_CODE_POINTS),
    ...(geo ? { geo: shapeGeo(geo, cuts) } : {}),
    ...(credential ? { credential: shapeCredential(credential, cuts) } : {}),
    ...(missing?.length ? { missing: shapeMissing(missing) } : {}),
  };
}

function shapeGeo(geo: NonNullable<AuditRecord["geo"]>, cuts: Cut[]): NonNullable<AuditRecord["geo"]> {
  const places = Object.entries(geo).filter(([, place]) => typeof place === "string");
  return Object.fromEntries(
    places.map(([part, place]) => [part, shapeText(place, ID_MAX_CODE_POINTS, `geo.${part}`, cuts)]),
  );
}

function shapeTargets(targets: readonly Party[], cuts: Cut[]): readonly Party[] {
  if (targets.length > EVENT_MAX_TARGETS) {
    cuts.push({ field: "targets", whole: JSON.stringify(targets) });
  }
  return targets.slice(0, EVENT_MAX_TARGETS).map((target, i) => shapeParty(target, `targets.${i}`, cuts));
}

function shapeCredential(credential: NonNullable<AuditRecord["credential"]>, cuts: Cut[]) {
  const { kind, keyId } = credential;
  if (keyId === undefined) return { kind };
  return { kind, keyId: shapeText(keyId, ID_MAX_CODE_POINTS, "credential.keyId", cuts) };
}

function shapeMissing(missing: readonly string[]): readonly string[] {
  const names = missing.map((name) => shapeText(name, ID_MAX_CODE_POINTS, "missing", []));
  if (names.length <= MISSING_MAX) return names;
  return [...names.slice(0, MISSING_MAX), `+${names.length - MISSING_MAX}`];
}

/** From the least to the most needed; who did what to which first target is never dropped. */
const LESS_NEEDED: readonly ((record: AuditRecord, cuts: Cut[]) => AuditRecord)[] = [
  (record, cuts) => ({
    ...record,
    targets: record.targets.map((target, i) => bare(target, `targets.${i}.metadata`, cuts)),
  }),
  (record, cuts) => ({ ...record, actor: bare(record.actor, "actor.metadata", cuts) }),
  (record, cuts) => drop(record, "metadata", cuts),
  (record, cuts) => {
    if (record.targets.length > 1) cuts.push({ field: "targets", whole: JSON.stringify(record.targets) });
    return { ...record, targets: record.targets.slice(0, 1) };
  },
  (record, cuts) => drop(record, "userAgent", cuts),
  (record, cuts) => drop(record, "missing", cuts),
];

function fitBytes(record: AuditRecord, cuts: Cut[]): AuditRecord {
  let fitting = record;
  for (const lessen of LESS_NEEDED) {
    if (utf8Bytes(JSON.stringify(fitting)) <= RECORD_MAX_BYTES) return fitting;
    fitting = lessen(fitting, cuts);
  }
  return fitting;
}

function bare(party: Party, field: string, cuts: Cut[]): Party {
  const { metadata, ...rest } = party;
  if (metadata) cuts.push({ field, whole: JSON.stringify(metadata) });
  return rest;
}

function drop(record: AuditRecord, key: "metadata" | "userAgent" | "missing", cuts: Cut[]): AuditRecord {
  const { [key]: dropped, ...rest } = record;
  if (dropped !== undefined) cuts.push({ field: key, whole: JSON.stringify(dropped) });
  return rest;
}

/** Length in UTF-8 of well-formed text. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // A surrogate pair is two units and four bytes, so each half adds one.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
