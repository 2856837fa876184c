/**
 * Keyed pseudonyms: equal values stay comparable, nobody without the key can go back, and an operator with the key can compute
 * the pseudonym of a value that is known. Pure; the HMAC itself is passed in, as each platform has its own.
 */
import { fromBase64, toBase64Url } from "./bytes.ts";
import { AuditError } from "./errors.ts";

export interface PseudonymKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

/** HMAC-SHA-256 of the UTF-8 bytes of a text. */
export type Hmac = (secret: Uint8Array, text: string) => Promise<Uint8Array>;

/** Shortest key: the output of SHA-256 (RFC 2104, section 3, advises no less). */
const KEY_MIN_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9-]{1,16}$/;
/** 128 bits: enough that two values of one company never meet. */
const PSEUDONYM_BYTES = 16;

/**
 * Reads `AUDIT_PSEUDONYM_KEYS`: `id:base64key`, the current one first, older ones after commas. Throws `invalid_variable`; the
 * message never holds a key.
 */
export function parsePseudonymKeys(text: string): readonly [PseudonymKey, ...PseudonymKey[]] {
  const [current, ...older] = text.split(",").map((part, i) => parseKey(part.trim(), i + 1));
  const ids = [current?.id, ...older.map(({ id }) => id)];
  if (!current || new Set(ids).size < ids.length) throw invalid("needs another id for each key");
  return [current, ...older];
}

function parseKey(text: string, position: number): PseudonymKey {
  const colon = text.indexOf(":");
  const id = text.slice(0, Math.max(colon, 0));
  const secret = fromBase64(text.slice(colon + 1));
  if (KEY_ID.test(id) && secret && secret.length >= KEY_MIN_BYTES) return { id, secret };
  throw invalid(`must be "id:key" with ${KEY_MIN_BYTES} bytes of base64; key ${position} is not`);
}

function invalid(clause: string): AuditError {
  return new AuditError("invalid_variable", `"AUDIT_PSEUDONYM_KEYS" ${clause}`);
}

/** The pseudonym of a value under one key: `ps_<key id>_<22 characters>`. */
export async function pseudonymOf(value: string, key: PseudonymKey, hmac: Hmac): Promise<string> {
  const mac = await hmac(key.secret, value);
  return `ps_${key.id}_${toBase64Url(mac.subarray(0, PSEUDONYM_BYTES))}`;
}
