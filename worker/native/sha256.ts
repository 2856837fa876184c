/** The part of `fast-sha256` that `standardwebhooks` uses, replaced by `build.ts` with the platform's native SHA-256. */
import { createHmac } from "node:crypto";

/** HMAC-SHA-256. */
export function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac("sha256", key).update(data).digest();
}
