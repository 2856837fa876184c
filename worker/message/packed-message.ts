/** Unpacks a message of several records that the policy has deflated (`shared/packed.ts`). */
import { Buffer } from "node:buffer";
import { inflateRawSync } from "node:zlib";
import { MESSAGE_MAX_INFLATED_BYTES } from "../../shared/limits.ts";
import { parseJsonBytes } from "../json.ts";

const BASE64_URL = /^[\w-]+$/;

/** Returns the original message, or why it cannot be read; never throws. Its records are not checked yet. */
export function unpack(message: { readonly d: unknown; readonly records?: unknown }): object | string {
  const { d, records: beside } = message;
  if (typeof d !== "string" || !BASE64_URL.test(d)) return '"d" must be base64url';
  const inside = inflate(d);
  if (typeof inside !== "object" || inside === null) return '"d" is not deflated JSON, or is too large';
  const { g, records } = inside as { readonly g?: unknown; readonly records?: unknown };
  if (!Array.isArray(records) || !Array.isArray(beside) || records.length !== beside.length) {
    return '"d" must hold as many records as "records"';
  }
  const whole = records.map((record: object, index) => Object.assign({}, record, beside[index]));
  return { ...message, g, records: whole };
}

/** Bounded, because a few bytes may inflate to any size. */
function inflate(d: string): unknown {
  try {
    return parseJsonBytes(inflateRawSync(Buffer.from(d, "base64url"), { maxOutputLength: MESSAGE_MAX_INFLATED_BYTES }));
  } catch {
    return undefined;
  }
}
