/** Identifies a module by its code, without comments, types and formatting. */
import { createHash } from "node:crypto";
import { transform } from "esbuild";

/**
 * Returns the SHA-256, in hexadecimal, of a module's code without comments, types and formatting. Two texts with the same
 * fingerprint behave the same; the built module contains its own. Rejects if the text is not TypeScript.
 */
export async function fingerprintOf(text: string): Promise<string> {
  const { code } = await transform(text, { loader: "ts", minifyWhitespace: true, minifySyntax: true });
  return createHash("sha256").update(code).digest("hex");
}
