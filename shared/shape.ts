/**
 * Shapes records to WorkOS's limits without silent loss: every value that is cut or cleaned is reported whole, so that the caller
 * can mark it with a hash. Pure. The policy shapes every record; the worker shapes what others wrote.
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
import { cleanText } from "./readable-text.ts";
import type { AuditRecord, Metadata, MetadataValue, Party } from "./record.ts";

/** A value that was cut or cleaned: its field, and the whole value. */
interface Cut {
  readonly field: string;
  readonly whole: string;
}

/** Replaces a text before it is cut; `field` is a path such as `actor.metadata.role`, `targets.0.id` or `ip`. */
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

/** Fields that hold any text: all strings except identities, the action and the `traceparent`, which have rules of their own. */
type TextField = Exclude<
  { [F in keyof AuditRecord]-?: string extends AuditRecord[F] ? F : never }[keyof AuditRecord],
  "id" | "action" | "traceparent" | "parentId" | "corrects"
>;

const TEXT_MAX: Readonly<Record<TextField, number>> = {
  method: ID_MAX_CODE_POINTS,
  route: TEXT_MAX_CODE_POINTS,
  organization: TEXT_MAX_CODE_POINTS,
  ip: TEXT_MAX_CODE_POINTS,
  userAgent: TEXT_MAX_CODE_POINTS,
  requestId: ID_MAX_CODE_POINTS,
};

/** The fields that hold any text, and the most code points of each. A new string field of the record must be among them. */
export const RECORD_TEXTS = Object.entries(TEXT_MAX) as readonly (readonly [field: TextField, max: number])[];

interface Shaping {
  readonly rewrite: Rewrite;
  readonly scale: number;
  readonly cut: (field: string, whole: string) => void;
}

/** The field of a cut can hold a metadata key of any length. */
const FIELD_MAX_CHARS = 100;

/** At this scale, one target and no metadata are left. */
const SMALLEST_SCALE = 1 / 50;

/** The first names of a list, then `+n` for the others. */
export function firstNames(names: readonly string[]): readonly string[] {
  return names.length > MISSING_MAX ? [...names.slice(0, MISSING_MAX), `+${names.length - MISSING_MAX}`] : names;
}

function shapeFields(shaping: Shaping, record: AuditRecord): AuditRecord {
  const { metadata, missing, credential, geo } = record;
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
    ...shapeRecordTexts(shaping, record),
    geo: geo && shapeTexts(shaping, "geo", geo),
    credential: credential && shapeTexts(shaping, "credential", credential),
    missing: missing && firstNames(missing.map((name) => shapeText(shaping, "missing", name, ID_MAX_CODE_POINTS))),
  });
}

function shapeRecordTexts(shaping: Shaping, record: AuditRecord): Partial<Record<TextField, string>> {
  const shaped: Partial<Record<TextField, string>> = {};
  for (const [field, max] of RECORD_TEXTS) {
    const text = record[field];
    if (text !== undefined) shaped[field] = shapeText(shaping, field, text, max);
  }
  return shaped;
}

function shapeText(
  { rewrite, scale, cut }: Shaping,
  field: string,
  given: string,
  limit = TEXT_MAX_CODE_POINTS,
  least = TEXT_MIN_CODE_POINTS,
): string {
  const max = Math.max(limit * scale, least);
  const rewritten = rewrite(given, field);
  // A code point has at most two units, so more than twice as many units need not be read.
  const text = cleanText(rewritten.slice(0, 2 * max + 2));
  // Most texts are short, and only the others need their code points counted.
  const points = text.length > max ? Array.from(text) : [];
  const kept = points.length > max ? points.slice(0, max).join("") : text;
  if (kept !== rewritten) cut(field, given);
  return kept;
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
    // A number can be a secret too, such as that of a card.
    const rewritten = shaping.rewrite(text, field);
    return rewritten === text ? value : rewritten;
  }
  // The user's code can return values that the type does not allow, and not every object converts to text.
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
