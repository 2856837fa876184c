/** Hides values of a record: chosen ones become keyed pseudonyms, secrets become `[redacted]`. */
import { parsePseudonymKeys, type Hmac, type PseudonymKey, pseudonymOf } from "../shared/pseudonym.ts";
import type { AuditRecord, Metadata, MetadataValue, Party } from "../shared/record.ts";
import { isSecretName, REDACTED, scrub } from "./secrets.ts";

export interface Hider {
  readonly pseudonymize: ReadonlySet<string>;
  /** Absent: there is no usable key, so that what should be a pseudonym is redacted. */
  readonly key?: PseudonymKey | undefined;
  readonly hmac: Hmac;
  readonly redact: readonly string[];
}

export interface HiderResult {
  readonly hider: Hider;
  readonly problem?: string;
}

/** Reads the two options; without a usable key, chosen values are redacted rather than sent in clear text. */
export function makeHider(
  options: {
    readonly pseudonymize: readonly string[];
    readonly pseudonymKeys: string | undefined;
    readonly redact: readonly string[];
  },
  hmac: Hmac,
): HiderResult {
  const hider = { pseudonymize: new Set(options.pseudonymize), hmac, redact: options.redact };
  if (hider.pseudonymize.size === 0) return { hider };
  if (options.pseudonymKeys === undefined) {
    return { hider, problem: 'missing_variable: "pseudonymKeys" has no value; set the variable AUDIT_PSEUDONYM_KEYS' };
  }
  try {
    return { hider: { ...hider, key: parsePseudonymKeys(options.pseudonymKeys)[0] } };
  } catch (error) {
    return { hider, problem: `invalid_variable: ${error instanceof Error ? error.message : ""}` };
  }
}

/** The longest text that is looked through for secrets; shaping cuts far below it. */
const SCRUB_MAX_CHARS = 4_000;

/** Hides what must not leave; `origins` names the selector that a field's value came from. */
export async function hideValues(
  record: AuditRecord,
  origins: ReadonlyMap<string, string>,
  hider: Hider,
): Promise<AuditRecord> {
  const hide = async (field: string, value: string): Promise<string> => {
    if (value !== REDACTED && isChosen(field, origins.get(field), hider.pseudonymize)) {
      return hider.key ? pseudonymOf(value, hider.key, hider.hmac) : REDACTED;
    }
    return value.length > SCRUB_MAX_CHARS
      ? scrub(value.slice(0, SCRUB_MAX_CHARS)) + value.slice(SCRUB_MAX_CHARS)
      : scrub(value);
  };
  const text = async (field: "ip" | "userAgent" | "requestId" | "organization") =>
    record[field] === undefined ? {} : { [field]: await hide(field, record[field]) };
  return {
    ...record,
    action: scrub(record.action),
    ...(await text("organization")),
    actor: await hideParty("actor", record.actor, hide, hider.redact),
    targets: await Promise.all(
      record.targets.map((target, i) => hideParty(`targets.${i}`, target, hide, hider.redact)),
    ),
    ...(record.metadata ? { metadata: await hideMetadata("metadata", record.metadata, hide, hider.redact) } : {}),
    ...(await text("ip")),
    ...(await text("userAgent")),
    ...(await text("requestId")),
    ...(record.credential?.keyId === undefined
      ? {}
      : { credential: { kind: record.credential.kind, keyId: scrub(record.credential.keyId) } }),
  };
}

type Hide = (field: string, value: string) => Promise<string>;

async function hideParty(field: string, party: Party, hide: Hide, redact: readonly string[]): Promise<Party> {
  // Nobody needs no pseudonym, and must stay recognizable.
  if (party.id === "anonymous" && party.type === "anonymous") return party;
  return {
    id: await hide(`${field}.id`, party.id),
    type: scrub(party.type),
    ...(party.name === undefined ? {} : { name: await hide(`${field}.name`, party.name) }),
    ...(party.metadata ? { metadata: await hideMetadata(`${field}.metadata`, party.metadata, hide, redact) } : {}),
  };
}

async function hideMetadata(
  field: string,
  metadata: Metadata,
  hide: Hide,
  redact: readonly string[],
): Promise<Metadata> {
  const hideValue = async (key: string, value: MetadataValue): Promise<MetadataValue> => {
    if (isSecretName(key, redact)) return REDACTED;
    if (typeof value === "string") return hide(`${field}.${key}`, value);
    // A number may be a card's, or chosen for a pseudonym.
    const hidden = await hide(`${field}.${key}`, String(value));
    return hidden === String(value) ? value : hidden;
  };
  const entries = Object.entries(metadata).map(async ([key, value]) => [key, await hideValue(key, value)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** Chosen by the selector it came from, by its field, or by its field without the number of the target or the last name. */
function isChosen(field: string, origin: string | undefined, chosen: ReadonlySet<string>): boolean {
  if (chosen.size === 0) return false;
  const general = field.replace(/^targets\.\d+\./, "targets.");
  return [origin, field, general, general.replace(/[^.]+$/, "*")].some(
    (name) => name !== undefined && chosen.has(name),
  );
}
