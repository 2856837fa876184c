import { createHash, randomUUID } from "node:crypto";
import { SignJWT } from "jose";

/** A signature is good for five minutes (upstash.com/docs/qstash/features/security). */
const LIFETIME_S = 300;

/** Signs one delivery as QStash does: an HS256 JWT over the destination and the body's hash. */
export async function signDelivery(key: string, url: string, body: Uint8Array, nowMs: number): Promise<string> {
  const iat = Math.floor(nowMs / 1000);
  return (
    new SignJWT({ body: bodyHash(body) })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setIssuer("Upstash")
      .setSubject(url)
      .setIssuedAt(iat)
      .setExpirationTime(iat + LIFETIME_S)
      // 0 since the changelog of September 2024, whatever the older example says.
      .setNotBefore(0)
      .setJti(`jwt_${randomUUID().replaceAll("-", "")}`)
      .sign(new TextEncoder().encode(key))
  );
}

/** The body's SHA-256 in base64url with the padding QStash leaves on. */
function bodyHash(body: Uint8Array): string {
  return `${createHash("sha256").update(body).digest("base64url")}=`;
}
