/** Signs deliveries as QStash does. */
import { createHash } from "node:crypto";
import { SignJWT, type JWTPayload } from "jose";

export interface SignOptions {
  readonly key: string;
  readonly url: string;
  readonly claims?: JWTPayload;
  /** Claims to leave out. */
  readonly without?: readonly string[];
  readonly alg?: string;
}

/** A QStash signature, with whatever the test wants wrong about it. */
export async function sign(body: string | Uint8Array, options: SignOptions): Promise<string> {
  const nowS = Math.floor(Date.now() / 1000);
  const claims: JWTPayload = {
    iss: "Upstash",
    sub: options.url,
    iat: nowS,
    nbf: 0,
    exp: nowS + 300,
    jti: "jwt_1",
    body: `${createHash("sha256").update(body).digest("base64url")}=`,
    ...options.claims,
  };
  for (const name of options.without ?? []) delete claims[name];
  return new SignJWT(claims)
    .setProtectedHeader({ alg: options.alg ?? "HS256", typ: "JWT" })
    .sign(new TextEncoder().encode(options.key));
}
