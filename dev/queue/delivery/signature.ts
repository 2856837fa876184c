import { createHash, randomUUID } from "node:crypto";
import { SignJWT } from "jose";

/** A signature is valid for five minutes (upstash.com/docs/qstash/features/security). */
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
      // 0 since the changelog of September 2024, despite the older example.
      .setNotBefore(0)
      .setJti(`jwt_${randomUUID().replaceAll("-", "")}`)
      .sign(new TextEncoder().encode(key))
  );
}

/** Returns the body's SHA-256 in base64url, with padding as QStash sends it. */
function bodyHash(body: Uint8Array): string {
  return `${createHash("sha256").update(body).digest("base64url")}=`;
}
