/** Makes any record fit WorkOS's limits, whoever wrote it, and marks each cut value with a hash of the whole. */
import {
  ACTION_MAX_CODE_POINTS,
  CUSTOM_METADATA_MAX_KEYS,
  EVENT_MAX_TARGETS,
  METADATA_VALUE_MAX_CODE_POINTS,
  MISSING_MAX,
  TEXT_MAX_CODE_POINTS,
} from "../shared/limits.ts";
import type { AuditRecord, Metadata, Party } from "../shared/record.ts";
import { cleanText } from "../shared/readable-text.ts";
import { RECORD_TEXTS, shapeRecord } from "../shared/shape.ts";

/** Digits of a cut value's SHA-256 that mark it, as in the policy. */
const CUT_HASH_HEX_CHARS = 32;

/** True if no string needs cutting or cleaning. That holds for every record of the policy, and checking costs much less than shaping. */
export function isShaped(record: AuditRecord): boolean {
  const { action, actor, targets, metadata, missing, geo, credential } = record;
  return (
    isShort(action, ACTION_MAX_CODE_POINTS) &&
    RECORD_TEXTS.every(([field]) => isFitOrAbsent(record[field])) &&
    [geo?.country, geo?.region, geo?.city, credential?.kind, credential?.keyId].every(isFitOrAbsent) &&
    (missing?.length ?? 0) <= MISSING_MAX + 1 &&
    (missing?.every(isFitOrAbsent) ?? true) &&
    targets.length <= EVENT_MAX_TARGETS &&
    isShapedParty(actor) &&
    targets.every(isShapedParty) &&
    isShapedMetadata(metadata, CUSTOM_METADATA_MAX_KEYS)
  );
}

function isShapedParty({ id, type, name, metadata }: Party): boolean {
  return (
    isShort(id, TEXT_MAX_CODE_POINTS) &&
    isShort(type, TEXT_MAX_CODE_POINTS) &&
    (name === undefined || isShort(name, TEXT_MAX_CODE_POINTS)) &&
    isShapedMetadata(metadata, CUSTOM_METADATA_MAX_KEYS)
  );
}

function isShapedMetadata(metadata: Metadata | undefined, maxKeys: number): boolean {
  if (!metadata) return true;
  const entries = Object.entries(metadata);
  return (
    entries.length <= maxKeys &&
    entries.every(([key, value]) => {
      const isLegalValue =
        typeof value === "string" ? isFit(value, METADATA_VALUE_MAX_CODE_POINTS) : Number.isFinite(Number(value));
      return isLegalValue && /^[a-zA-Z0-9_-]{1,40}$/.test(key);
    })
  );
}

function isFitOrAbsent(text: string | undefined): boolean {
  return text === undefined || isFit(text, TEXT_MAX_CODE_POINTS);
}

function isShort(text: string, max: number): boolean {
  return text.length > 0 && isFit(text, max);
}

function isFit(text: string, max: number): boolean {
  return text.length <= max && cleanText(text) === text;
}

/** Returns the record cut to every limit. */
export async function shape(record: AuditRecord): Promise<AuditRecord> {
  const { record: shaped, cuts } = shapeRecord(record);
  const marks = await Promise.all(cuts.map(async ({ field, whole }) => `${field}:${await shortHash(whole)}`));
  return marks.length === 0 ? shaped : { ...shaped, truncated: [...(record.truncated ?? []), ...marks] };
}

async function shortHash(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .slice(0, CUT_HASH_HEX_CHARS);
}
