/** What `standardwebhooks` takes of `@stablelib/base64`, which `build.ts` replaces: the platform has base64 in native code. */
import { fromBase64, toBase64 } from "../../shared/bytes.ts";

export { toBase64 as encode };

/** Throws where the text is not base64. */
export function decode(text: string): Uint8Array {
  const bytes = fromBase64(text);
  if (!bytes) throw new TypeError("not base64");
  return bytes;
}
