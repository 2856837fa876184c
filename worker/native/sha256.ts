/** What `standardwebhooks` takes of `fast-sha256`, which `build.ts` replaces: the platform has SHA-256 in native code. */
import { createHmac } from "node:crypto";

/** HMAC-SHA-256. */
export function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac("sha256", key).update(data).digest();
}
