/** Hides values of a record: chosen ones become keyed pseudonyms, secrets become `[redacted]`. */
import {
  type Hmac,
  PSEUDONYM_KEYS_RULE,
  type PseudonymKey,
  pseudonymOf,
  readPseudonymKeys,
} from "../shared/pseudonym.ts";
import type { AuditRecord } from "../shared/record.ts";
import { type Rewrite, type Shaped, shapeRecord } from "../shared/shape.ts";
import { isSecretName } from "./secret-names.ts";
import { REDACTED, scrub } from "./secrets.ts";
import { parseSelector, sourceOf } from "./selector.ts";

export interface Hider {
  /** Fields, and selectors as `sourceOf` says them. */
  readonly pseudonymize: ReadonlySet<string>;
  /** Absent: there is no usable key, so that what should be a pseudonym is redacted. */
  readonly key?: PseudonymKey | undefined;
  readonly hmac: Hmac;
  /** Further names of secrets. */
  readonly redact: readonly string[];
}

export interface HiderResult {
  readonly hider: Hider;
  readonly problem?: string;
}

interface HiderOptions {
  readonly pseudonymize: readonly string[];
  readonly pseudonymKeys: string | undefined;
  readonly redact: readonly string[];
}

/** Reads the options; without a usable key, chosen values are redacted rather than sent in clear text. */
export function makeHider({ pseudonymize, pseudonymKeys, redact }: HiderOptions, hmac: Hmac): HiderResult {
  const chosen = pseudonymize.map((one) => {
    const selector = parseSelector(one);
    return selector ? sourceOf(selector) : one;
  });
  const hider = { pseudonymize: new Set(chosen), hmac, redact };
  if (pseudonymize.length === 0) return { hider };
  const keys = readPseudonymKeys(pseudonymKeys ?? "");
  return keys ? { hider: { ...hider, key: keys[0] } } : { hider, problem: `invalid_variable: ${PSEUDONYM_KEYS_RULE}` };
}

/**
 * Hides what must not leave, and shapes the rest; `origins` tells where a field's value came from. Pseudonyms need
 * time, so that the values are collected first, and put in their places afterwards.
 */
export async function hideAndShape(
  record: AuditRecord,
  origins: ReadonlyMap<string, readonly string[]>,
  hider: Hider,
): Promise<Shaped> {
  const pseudonyms = new Map<string, string>();
  const { pseudonymize, key, hmac, redact } = hider;
  if (pseudonymize.size > 0) {
    shapeRecord(record, (text, field) => {
      if (isChosen(field, text, origins, pseudonymize)) pseudonyms.set(text, REDACTED);
      return text;
    });
    if (key) for (const value of pseudonyms.keys()) pseudonyms.set(value, await pseudonymOf(value, key, hmac));
  }
  const hide: Rewrite = (text, field) => {
    if (field === "metadata.mcp_arguments") return text;
    if (text === REDACTED || isSecretField(field, redact)) return REDACTED;
    if (pseudonyms.size > 0 && isChosen(field, text, origins, pseudonymize)) return pseudonyms.get(text) ?? REDACTED;
    return scrub(text);
  };
  return shapeRecord(record, hide);
}

/** Metadata whose name is one of a secret. */
function isSecretField(field: string, redact: readonly string[]): boolean {
  const [, name] = /metadata\.(.*)/s.exec(field) ?? [];
  // The session of a protocol is an id, and no secret of somebody who signs in.
  return name !== undefined && name !== "mcp_session" && isSecretName(name, redact);
}

/** Chosen by where it came from, by its field, or by its field without the number of the target or the last name. */
function isChosen(
  field: string,
  text: string,
  origins: ReadonlyMap<string, readonly string[]>,
  chosen: ReadonlySet<string | undefined>,
): boolean {
  // Nobody needs no pseudonym, and must stay recognizable.
  if (text === "anonymous") return false;
  const general = field.replace(/\.\d+\./, ".");
  const names = [...(origins.get(field) ?? []), field, general, general.replace(/(.*?metadata|\w+)\..*/, "$1.*")];
  return names.some((name) => chosen.has(name));
}
