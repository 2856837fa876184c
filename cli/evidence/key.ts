/** The signing key of the evidence, and the verifier key for auditors. */
import { createHash, createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { fromHex } from "../../shared/bytes.ts";
import type { Sha256 } from "../../shared/evidence/merkle.ts";
import { verifierKey } from "../../shared/evidence/note.ts";

const SEED_BYTES = 32;
/** The PKCS #8 prefix of the seed. https://www.rfc-editor.org/rfc/rfc8410#section-7 */
const PKCS8_HEAD = fromHex("302e020100300506032b657004220420");

const sha256: Sha256 = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** Makes a value of `AUDIT_EVIDENCE_KEY`. */
export function newEvidenceKey(): string {
  return `evk_${randomBytes(SEED_BYTES).toString("base64url")}`;
}

/** Returns true for a value of `AUDIT_EVIDENCE_KEY`. */
export function isEvidenceKey(key: string): boolean {
  return /^evk_[A-Za-z0-9_-]{43}$/.test(key);
}

/** Returns the verifier key of a log, `<origin>+<key id>+<base64>`. */
export function verifierKeyOf(key: string, origin: string): string {
  const seed = Buffer.from(key.slice("evk_".length), "base64url");
  const der = Buffer.concat([PKCS8_HEAD, seed]);
  const { x = "" } = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" })).export({
    format: "jwk",
  });
  return verifierKey(sha256, origin, Buffer.from(x, "base64url"));
}

/** Returns the log's name for a worker without `AUDIT_EVIDENCE_ORIGIN`. */
export function originOf(workerUrl: string): string {
  return `${new URL(workerUrl).host}/evidence`;
}
