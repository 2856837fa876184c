/**
 * Keyed pseudonyms. Equal values have equal pseudonyms, and you need the key to check which value a pseudonym belongs to. Pure: the
 * caller passes in the HMAC, because each platform has its own.
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
const KEY = /^([A-Za-z0-9-]{1,16}):(.+)$/;
/** 128 bits: two values of one company never share a pseudonym. */
const PSEUDONYM_BYTES = 16;

type PseudonymKeys = readonly [PseudonymKey, ...PseudonymKey[]];

/** Reads `AUDIT_PSEUDONYM_KEYS`: `id:base64key` pairs separated by commas, the current one first. Undefined if any is wrong. */
export function readPseudonymKeys(text: string): PseudonymKeys | undefined {
  const keys = text.split(",").map((part): PseudonymKey | undefined => {
    const [, id, base64] = KEY.exec(part.trim()) ?? [];
    const secret = fromBase64(base64 ?? "");
    return id !== undefined && secret && secret.length >= KEY_MIN_BYTES ? { id, secret } : undefined;
  });
  const isRight = keys.every(Boolean) && new Set(keys.map((key) => key?.id)).size === keys.length;
  return isRight ? (keys as unknown as PseudonymKeys) : undefined;
}

/** The rule for the variable, as error messages state it. */
export const PSEUDONYM_KEYS_RULE = `"AUDIT_PSEUDONYM_KEYS" must be "id:key,…", each key ${KEY_MIN_BYTES} bytes of base64 with its own id`;

/** Like `readPseudonymKeys`, but throws `invalid_variable`. The message never contains a key. */
export function parsePseudonymKeys(text: string): PseudonymKeys {
  const keys = readPseudonymKeys(text);
  if (!keys) throw new AuditError("invalid_variable", PSEUDONYM_KEYS_RULE);
  return keys;
}

const PSEUDONYM = /^ps_[A-Za-z0-9-]{1,16}_[\w-]{22}$/;

/** Returns true for a text that has the form of a pseudonym. */
export function isPseudonym(text: string): boolean {
  return PSEUDONYM.test(text);
}

/** Returns the pseudonym of a value under one key: `ps_<key id>_<22 characters>`. */
export async function pseudonymOf(value: string, key: PseudonymKey, hmac: Hmac): Promise<string> {
  const mac = await hmac(key.secret, value);
  return `ps_${key.id}_${toBase64Url(mac.subarray(0, PSEUDONYM_BYTES))}`;
}
