/**
 * Shapes records to WorkOS's limits without silent loss: whatever is cut is named, with the whole value, so that the caller can
 * mark it with a hash. Pure. The policy shapes every record; the worker shapes what it adds.
 */
import { utf8Bytes } from "./bytes.ts";
import { compact } from "./compact.ts";
import {
  ACTION_MAX_CODE_POINTS,
  CUSTOM_METADATA_MAX_KEYS,
  EVENT_MAX_TARGETS,
  ID_MAX_CODE_POINTS,
  METADATA_KEY_MAX_CHARS,
  METADATA_MAX_KEYS,
  METADATA_VALUE_MAX_CODE_POINTS,
  MISSING_MAX,
  RECORD_MAX_BYTES,
  TEXT_MAX_CODE_POINTS,
  TEXT_MIN_CODE_POINTS,
} from "./limits.ts";
import type { AuditRecord, Metadata, MetadataValue, Party } from "./record.ts";

/** A value that was cut: its field, and the whole of it. */
export interface Cut {
  readonly field: string;
  readonly whole: string;
}

/** What else a text must become, by its field (`actor.metadata.role`, `targets.0.id`, `ip`); before it is cut. */
export type Rewrite = (text: string, field: string) => string;

export interface Shaped {
  readonly record: AuditRecord;
  readonly cuts: readonly Cut[];
}

/** Shapes a whole record to every limit, and to `RECORD_MAX_BYTES` by making all limits smaller together. */
export function shapeRecord(record: AuditRecord, rewrite: Rewrite = (text) => text): Shaped {
  for (let scale = 1; ; scale /= 2) {
    const cuts: Cut[] = [];
    const cut = (field: string, whole: string) =>
      void cuts.push({ field: cleanText(field.slice(0, FIELD_MAX_CHARS)), whole });
    const shaped = shapeFields({ rewrite, scale, cut }, record);
    if (scale < SMALLEST_SCALE || utf8Bytes(JSON.stringify(shaped)) <= RECORD_MAX_BYTES)
      return { record: shaped, cuts };
  }
}

interface Shaping {
  readonly rewrite: Rewrite;
  readonly scale: number;
  readonly cut: (field: string, whole: string) => void;
}

/** A field of a cut may hold a metadata key as it was given, of any length. */
const FIELD_MAX_CHARS = 100;

/** At this scale no metadata is left, and one target. */
const SMALLEST_SCALE = 1 / 50;

/** A piece of text as JSON, logs and WorkOS can take it: no control characters, no lone surrogates. */
export function cleanText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is taken out
  return text.replaceAll(/[\0-\x1f\x7f-\x9f]/g, " ").toWellFormed();
}

/** The first names of a list, and how many more there are. */
export function firstNames(names: readonly string[]): readonly string[] {
  return names.length > MISSING_MAX ? [...names.slice(0, MISSING_MAX), `+${names.length - MISSING_MAX}`] : names;
}

function shapeFields(shaping: Shaping, record: AuditRecord): AuditRecord {
  const { metadata, missing, credential, geo } = record;
  const text = (key: "organization" | "ip" | "userAgent" | "requestId", max = TEXT_MAX_CODE_POINTS) =>
    record[key] === undefined ? undefined : shapeText(shaping, key, record[key], max);
  return compact({
    ...record,
    action: shapeText(shaping, "action", record.action, ACTION_MAX_CODE_POINTS) || "unknown",
    actor: shapeParty(shaping, "actor", record.actor),
    targets: first(
      shaping,
      "targets",
      record.targets,
      Math.max(Math.min(8 * shaping.scale, 1) * EVENT_MAX_TARGETS, 1),
    ).map((target, i) => shapeParty(shaping, `targets.${i}`, target)),
    metadata: metadata && shapeMetadata(shaping, "metadata", metadata, CUSTOM_METADATA_MAX_KEYS),
    method: shapeText(shaping, "method", record.method, ID_MAX_CODE_POINTS),
    route: shapeText(shaping, "route", record.route),
    organization: text("organization"),
    ip: text("ip"),
    userAgent: text("userAgent"),
    requestId: text("requestId", ID_MAX_CODE_POINTS),
    geo: geo && shapeTexts(shaping, "geo", geo),
    credential: credential && shapeTexts(shaping, "credential", credential),
    missing: missing && firstNames(missing.map((name) => shapeText(shaping, "missing", name, ID_MAX_CODE_POINTS))),
  });
}

function shapeText(
  { rewrite, scale, cut }: Shaping,
  field: string,
  given: string,
  limit = TEXT_MAX_CODE_POINTS,
  least = TEXT_MIN_CODE_POINTS,
): string {
  const max = Math.max(limit * scale, least);
  const text = cleanText(rewrite(given, field));
  // Most texts are short, and only those that are not need their code points counted.
  if (text.length <= max) return text;
  // A code point has at most two units, so more than twice as many units need not be looked at.
  const points = Array.from(text.slice(0, 2 * max + 2));
  if (points.length <= max) return text;
  cut(field, given);
  return points.slice(0, max).join("");
}

function shapeTexts<T extends object>(shaping: Shaping, field: string, texts: T): T {
  const entries = Object.entries(texts).map(([part, text]) => [
    part,
    shapeText(shaping, `${field}.${part}`, text, ID_MAX_CODE_POINTS),
  ]);
  return Object.fromEntries(entries) as T;
}

function shapeParty(shaping: Shaping, field: string, { id, type, name, metadata }: Party): Party {
  return compact({
    id: shapeText(shaping, `${field}.id`, id) || "unknown",
    type: shapeText(shaping, `${field}.type`, type) || "unknown",
    name: name ? shapeText(shaping, `${field}.name`, name) : undefined,
    metadata: metadata && shapeMetadata(shaping, `${field}.metadata`, metadata, METADATA_MAX_KEYS),
  });
}

function shapeMetadata(shaping: Shaping, field: string, metadata: Metadata, maxKeys: number): Metadata | undefined {
  const shaped = new Map<string, MetadataValue>();
  for (const [key, value] of first(shaping, field, Object.entries(metadata), maxKeys * shaping.scale)) {
    const name = legalKey(key, shaped);
    if (name !== key) shaping.cut(`${field}.${name}`, key);
    const legal = shapeValue(shaping, `${field}.${key}`, value);
    if (legal !== undefined) shaped.set(name, legal);
  }
  return shaped.size > 0 ? Object.fromEntries(shaped) : undefined;
}

function shapeValue(shaping: Shaping, field: string, value: MetadataValue): MetadataValue | undefined {
  if (typeof value === "string") return shapeText(shaping, field, value, METADATA_VALUE_MAX_CODE_POINTS, 1);
  if (typeof value === "boolean" || Number.isFinite(value)) {
    const text = String(value);
    // What a number stands for may have to be hidden as well.
    const rewritten = shaping.rewrite(text, field);
    return rewritten === text ? value : rewritten;
  }
  // The user's code may give what the type does not allow, and not every object has a text.
  shaping.cut(field, typeof value);
  return undefined;
}

function first<T>({ cut }: Shaping, field: string, all: readonly T[], max: number): readonly T[] {
  if (all.length > max) cut(field, JSON.stringify(all));
  return all.slice(0, max);
}

function legalKey(key: string, taken: ReadonlyMap<string, unknown>): string {
  const legal = key.replaceAll(/[^\w-]/g, "_").slice(0, METADATA_KEY_MAX_CHARS);
  let name = legal;
  for (let n = 2; taken.has(name); n++) name = `${legal.slice(0, METADATA_KEY_MAX_CHARS - 4)}_${n}`;
  return name;
}
