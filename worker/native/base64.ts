/** The part of `@stablelib/base64` that `standardwebhooks` uses, replaced by `build.ts` with the platform's native base64. */
import { fromBase64, toBase64 } from "../../shared/bytes.ts";

export { toBase64 as encode };

/** Throws if the text is not base64. */
export function decode(text: string): Uint8Array {
  const bytes = fromBase64(text);
  if (!bytes) throw new TypeError("not base64");
  return bytes;
}
