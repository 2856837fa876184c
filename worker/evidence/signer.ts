/** Signs checkpoints with the platform's Ed25519. https://www.rfc-editor.org/rfc/rfc8032 */
import { fromBase64, fromHex } from "../../shared/bytes.ts";
import { keyId, signatureLine } from "../../shared/evidence/note.ts";
import { sha256 } from "../ledger/leaf.ts";

/** The PKCS #8 prefix of the 32 bytes of an Ed25519 seed. https://www.rfc-editor.org/rfc/rfc8410#section-7 */
const PKCS8_HEAD = fromHex("302e020100300506032b657004220420");

/** Returns the log's signature line for a text. */
export async function signText(seed: Uint8Array, origin: string, text: string): Promise<string> {
  const bytes = Uint8Array.of(...PKCS8_HEAD, ...seed);
  const key = await crypto.subtle.importKey("pkcs8", bytes, { name: "Ed25519" }, true, ["sign"]);
  const { x = "" } = (await crypto.subtle.exportKey("jwk", key)) as JsonWebKey;
  const id = keyId(sha256, origin, fromBase64(x) ?? new Uint8Array());
  const signature = await crypto.subtle.sign({ name: "Ed25519" }, key, new TextEncoder().encode(text));
  return signatureLine(origin, id, new Uint8Array(signature));
}
