/**
 * Keyed pseudonyms: equal values stay comparable, nobody without the key can go back, and an operator with the key can compute
 * the pseudonym of a value that is known. Pure; the HMAC itself is passed in, as each platform has its own.
 */
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
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** 128 bits: enough that two values of one company never meet. */
const PSEUDONYM_BYTES = 16;

/**
 * Reads `AUDIT_PSEUDONYM_KEYS`: `id:base64key`, the current one first, older ones after commas. Throws `invalid_variable`; the
 * message never holds a key.
 */
export function parsePseudonymKeys(text: string): readonly [PseudonymKey, ...PseudonymKey[]] {
  const keys = text.split(",").map((part, i) => parseKey(part.trim(), i + 1));
  const [current, ...older] = keys;
  if (!current || new Set(keys.map(({ id }) => id)).size < keys.length) {
    throw new AuditError("invalid_variable", '"AUDIT_PSEUDONYM_KEYS" has two keys of one id; give each key its own id');
  }
  return [current, ...older];
}

function parseKey(text: string, position: number): PseudonymKey {
  const colon = text.indexOf(":");
  const id = text.slice(0, Math.max(colon, 0));
  if (!KEY_ID.test(id)) {
    throw new AuditError(
      "invalid_variable",
      `"AUDIT_PSEUDONYM_KEYS" must be "id:base64key" with an id of 1 to 16 letters, digits or hyphens; key ${position} is not`,
    );
  }
  const secret = base64Bytes(text.slice(colon + 1));
  if (!secret || secret.length < KEY_MIN_BYTES) {
    throw new AuditError(
      "invalid_variable",
      `"AUDIT_PSEUDONYM_KEYS" needs at least ${KEY_MIN_BYTES} bytes in base64 for each key; key ${position} has fewer`,
    );
  }
  return { id, secret };
}

/** The pseudonym of a value under one key: `ps_<key id>_<22 characters>`. */
export async function pseudonymOf(value: string, key: PseudonymKey, hmac: Hmac): Promise<string> {
  const mac = await hmac(key.secret, value);
  return `ps_${key.id}_${base64Url(mac.subarray(0, PSEUDONYM_BYTES))}`;
}

/** The bytes of base64 or base64url text, padded or not; undefined for anything else. */
export function base64Bytes(text: string): Uint8Array | undefined {
  const plain = text
    .replaceAll("-", "+")
    .replaceAll("_", "/")
    .replace(/={0,2}$/, "");
  if (plain === "" || plain.length % 4 === 1) return undefined;
  const bytes: number[] = [];
  let bits = 0;
  for (let i = 0; i < plain.length; i++) {
    const digit = DIGITS.indexOf(plain.charAt(i));
    if (digit < 0) return undefined;
    bits = (bits << 6) | digit;
    if (i % 4 !== 0) bytes.push((bits >> (6 - 2 * (i % 4))) & 255);
  }
  return Uint8Array.from(bytes);
}

/** Base64url without padding (RFC 4648, section 5). */
export function base64Url(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(i, i + 3);
    const bits = (a << 16) | (b << 8) | c;
    for (let j = 0; j < Math.min(bytes.length - i, 3) + 1; j++) text += DIGITS.charAt((bits >> (18 - 6 * j)) & 63);
  }
  return text.replaceAll("+", "-").replaceAll("/", "_");
}
