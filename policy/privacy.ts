/** Hides values of a record: selected ones become keyed pseudonyms, secrets become `[redacted]`. No id is ever lost. */
import { toHex } from "../shared/bytes.ts";
import { TEXT_MAX_CODE_POINTS } from "../shared/limits.ts";
import { PSEUDONYM_KEYS_RULE, type PseudonymKey, pseudonymOf, readPseudonymKeys } from "../shared/pseudonym.ts";
import type { AuditRecord } from "../shared/record.ts";
import { type Rewrite, type Shaped, shapeRecord } from "../shared/shape.ts";
import type { Ports } from "./ports.ts";
import { isSecretName } from "./secret-names.ts";
import { REDACTED, scrub, type SecretRules } from "./secrets.ts";
import { parseSelector, sourceOf } from "./selector.ts";

export interface PrivacySettings {
  /** Fields, or selectors in the form of `sourceOf`. */
  readonly pseudonymize: ReadonlySet<string>;
  /** Absent without a usable key: then ids become hashes, and all other values that need a pseudonym are redacted. */
  readonly key?: PseudonymKey | undefined;
  /** Further names of secrets. */
  readonly redact: readonly string[];
  readonly ports: Pick<Ports, "hmac" | "sha256">;
}

interface PrivacySettingsResult {
  readonly privacy: PrivacySettings;
  readonly problem?: string;
}

interface PrivacyOptions {
  readonly pseudonymize: readonly string[];
  readonly pseudonymKeys: string | undefined;
  readonly redact: readonly string[];
}

/** Parses the options. An unusable key is a fault only if a key is needed or given. */
export function makePrivacySettings(
  { pseudonymize, pseudonymKeys, redact }: PrivacyOptions,
  ports: PrivacySettings["ports"],
): PrivacySettingsResult {
  const sources = pseudonymize.map((name) => {
    const selector = parseSelector(name);
    return selector ? sourceOf(selector) : name;
  });
  const privacy = { pseudonymize: new Set(sources), redact, ports };
  if (pseudonymize.length === 0 && !pseudonymKeys) return { privacy };
  const keys = readPseudonymKeys(pseudonymKeys ?? "");
  return keys
    ? { privacy: { ...privacy, key: keys[0] } }
    : { privacy, problem: `invalid_variable: ${PSEUDONYM_KEYS_RULE}` };
}

/**
 * Hides and shapes a record; `origins` holds the sources of each field's value.
 *
 * Identifiers are never redacted: an id to hide becomes its pseudonym, or without a key `sha256_` and the first 128 bits of its
 * SHA-256 in hexadecimal, so that distinct ids stay distinct. Actors are checked for marked secrets only.
 */
export async function hideAndShape(
  record: AuditRecord,
  origins: ReadonlyMap<string, readonly string[]>,
  { pseudonymize, key, redact, ports }: PrivacySettings,
): Promise<Shaped> {
  const substitutes = new Map<string, string>();
  let isComplete = true;

  function substituteOf(text: string): string {
    const known = substitutes.get(text);
    if (known === undefined) {
      substitutes.set(text, REDACTED);
      isComplete = false;
    }
    return known ?? REDACTED;
  }

  // An oversized record is shaped several times, but a long text is scanned only once.
  const scrubbed = new Map<string, string>();
  function scrubOnce(text: string, rules: SecretRules): string {
    if (text.length < LONG_CHARS) return scrub(text, rules);
    const known = scrubbed.get(rules + text) ?? scrub(text, rules);
    scrubbed.set(rules + text, known);
    return known;
  }

  const rewrite: Rewrite = (text, field) => {
    // A tool's arguments are hidden one by one, before they become one text.
    if (text === REDACTED || field === "metadata.mcp_arguments") return text;
    const isId = isIdField(field);
    const isSelected = pseudonymize.size > 0 && isNamed(field, text, origins, pseudonymize);
    const rules = AUTHENTICATED.test(field) ? "marked" : "all";
    if (isId) {
      const isHidden = isSelected || holdsSecret(text, rules) || isFromSecret(origins.get(field) ?? [], redact);
      return isHidden ? substituteOf(text) : text;
    }
    if (isSecretField(field, redact)) return REDACTED;
    if (isSelected) return key ? substituteOf(text) : REDACTED;
    return scrubOnce(text, rules);
  };

  const shaped = shapeRecord(record, rewrite);
  if (isComplete) return shaped;
  // Pseudonyms are asynchronous, so the first pass collects their values and the second inserts them.
  for (const text of substitutes.keys()) {
    substitutes.set(text, key ? await pseudonymOf(text, key, ports.hmac) : await hashOf(text, ports));
  }
  return shapeRecord(record, rewrite);
}

/** Scanning a shorter text costs no more than looking it up. */
const LONG_CHARS = 200;

const ID = /^((actor|targets\.\d+)\.id|credential\.keyId)$/;

/** True for a field that identifies a person or an object, such as `targets.0.id`. */
export function isIdField(field: string): boolean {
  return ID.test(field);
}

/**
 * The authenticated party and the organization: here, a value is not a secret just because it looks like `name=value` or a card
 * number.
 */
const AUTHENTICATED = /^(actor\.(id|name)|organization)$/;

/** Scans the part that shaping keeps. */
function holdsSecret(text: string, rules: SecretRules): boolean {
  const kept = text.slice(0, 2 * TEXT_MAX_CODE_POINTS);
  return scrub(kept, rules) !== kept;
}

/** 128 bits, as in the marks of cut values. */
const HASH_BYTES = 16;

async function hashOf(text: string, ports: Pick<Ports, "sha256">): Promise<string> {
  return `sha256_${toHex((await ports.sha256(text)).subarray(0, HASH_BYTES))}`;
}

/** A selector whose name is that of a secret, such as `$params.token`. */
function isFromSecret(sources: readonly string[], redact: readonly string[]): boolean {
  return sources.some((source) => isSecretName(source.split(",").slice(1), redact));
}

/** Metadata with the name of a secret. */
function isSecretField(field: string, redact: readonly string[]): boolean {
  const [, name] = /metadata\.(.*)/s.exec(field) ?? [];
  // An MCP session is an id: it does not authenticate anybody.
  return name !== undefined && name !== "mcp_session" && isSecretName(name, redact);
}

/** True if `names` has the source of the value, its field, or its field without the target's number or the last name. */
function isNamed(
  field: string,
  text: string,
  origins: ReadonlyMap<string, readonly string[]>,
  names: ReadonlySet<string | undefined>,
): boolean {
  // An anonymous caller has nothing to hide, and must stay recognizable.
  if (text === "anonymous") return false;
  const general = field.replace(/\.\d+\./, ".");
  const all = [...(origins.get(field) ?? []), field, general, general.replace(/(.*?metadata|\w+)\..*/, "$1.*")];
  return all.some((name) => names.has(name));
}
