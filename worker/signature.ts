/** Checks QStash's signature of a delivery. https://upstash.com/docs/qstash/howto/signature */
import { JOSEAlgNotAllowed, JWSSignatureVerificationFailed, JWTClaimValidationFailed, JWTExpired } from "jose/errors";
import { jwtVerify } from "jose/jwt/verify";
import { toBase64Url } from "../shared/bytes.ts";
import { AuditError } from "../shared/errors.ts";
import type { Settings } from "./variables.ts";

/**
 * How the public keys of QStash's development server and its test users begin, which is more than chance could meet.
 * https://upstash.com/docs/qstash/howto/local-development
 */
const DEVELOPMENT_KEYS: ReadonlySet<string> = new Set([
  "sig_7kYjw48m",
  "sig_5ZB6DVzB",
  "sig_7GVPjvuw",
  "sig_5NoELc3E",
  "sig_6jWGaWRx",
  "sig_7qHbvhma",
  "sig_5T8FcSsy",
  "sig_7GFR4YaD",
  "sig_7RvLjqfZ",
  "sig_7W3ZNbfK",
]);

export interface SignedDelivery {
  /** Value of `Upstash-Signature`. */
  readonly token: string | null;
  readonly body: Uint8Array;
  /** The URL that QStash was told to call. */
  readonly url: string;
}

type SigningSettings = Pick<
  Settings,
  | "QSTASH_CURRENT_SIGNING_KEY"
  | "QSTASH_NEXT_SIGNING_KEY"
  | "QSTASH_CURRENT_SIGNING_KEY_2"
  | "QSTASH_NEXT_SIGNING_KEY_2"
  | "AUDIT_WORKER_URL"
>;

/** The keys to try, in order; development keys are left out unless both this request and the worker's own URL are on loopback. */
export function signingKeys(settings: SigningSettings, requestUrl: string): readonly string[] {
  const keys = configuredKeys(settings);
  // Only a development key needs to know where it is used.
  if (!keys.some(isDevelopmentKey)) return keys;
  if (isLoopback(requestUrl) && isLoopback(settings.AUDIT_WORKER_URL)) return keys;
  return keys.filter((key) => !isDevelopmentKey(key));
}

function isDevelopmentKey(key: string): boolean {
  return DEVELOPMENT_KEYS.has(key.slice(0, "sig_".length + 8));
}

/** All keys of both regions, the public ones included. */
export function configuredKeys(settings: SigningSettings): readonly string[] {
  return [
    settings.QSTASH_CURRENT_SIGNING_KEY,
    settings.QSTASH_NEXT_SIGNING_KEY,
    settings.QSTASH_CURRENT_SIGNING_KEY_2,
    settings.QSTASH_NEXT_SIGNING_KEY_2,
  ].filter((key) => key !== undefined);
}

/**
 * Resolves when one of `keys` signed the delivery for its URL and body, HS256 only, with no tolerance of the clock. The next key
 * is tried only after a wrong signature. Throws `invalid_signature` on anything else.
 */
export async function verifySignature(delivery: SignedDelivery, keys: readonly string[], nowMs: number): Promise<void> {
  const { token } = delivery;
  if (!token) throw refusal('"upstash-signature" is missing');
  for (const key of keys) {
    const claims = await verifyWith(key, token, delivery.url, nowMs);
    if (!claims) continue;
    if (!(await isHashOf(claims.body, delivery.body))) throw refusal('claim "body" does not match the body');
    return;
  }
  throw refusal('"upstash-signature" was made with another key');
}

/** The claims, or undefined where only the signature is wrong. */
async function verifyWith(key: string, token: string, subject: string, nowMs: number) {
  try {
    const { payload } = await jwtVerify<{ body?: unknown }>(token, await importKey(key), {
      algorithms: ["HS256"],
      issuer: "Upstash",
      subject,
      requiredClaims: ["exp", "body"],
      currentDate: new Date(nowMs),
    });
    return payload;
  } catch (error) {
    if (error instanceof JWSSignatureVerificationFailed) return undefined;
    throw refusal(describe(error), error);
  }
}

function describe(error: unknown): string {
  if (error instanceof JWTExpired) return 'claim "exp" is in the past';
  if (error instanceof JWTClaimValidationFailed) return `claim "${error.claim}" is missing or wrong`;
  if (error instanceof JOSEAlgNotAllowed) return '"alg" must be HS256';
  return '"upstash-signature" is not a signed token';
}

function refusal(message: string, cause?: unknown): AuditError {
  return new AuditError("invalid_signature", message, { cause });
}

const imported = new Map<string, ReturnType<typeof importNew>>();

function importKey(key: string) {
  const found = imported.get(key) ?? importNew(key);
  imported.set(key, found);
  return found;
}

function importNew(key: string) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", new TextEncoder().encode(key), algorithm, false, ["verify"]);
}

/** The claim is base64url of SHA-256, with padding or without. */
async function isHashOf(claim: unknown, body: Uint8Array): Promise<boolean> {
  if (typeof claim !== "string") return false;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  return claim.replace(/=+$/, "") === toBase64Url(digest);
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127(\.\d+){3}$/.test(hostname)
  );
}
