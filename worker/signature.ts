/** Checks QStash's signature of a delivery. https://upstash.com/docs/qstash/howto/signature */
import { JOSEAlgNotAllowed, JWSSignatureVerificationFailed, JWTClaimValidationFailed, JWTExpired } from "jose/errors";
import { jwtVerify } from "jose/jwt/verify";
import { isLoopback } from "../shared/base-url.ts";
import { fromBase64, toBase64Url } from "../shared/bytes.ts";
import { parseJsonBytes } from "./json.ts";
import type { Settings } from "./variables.ts";
import { isWorkerUrl, type WorkerUrlSettings } from "./worker-url.ts";

/**
 * How the public keys of QStash's development server and its test users begin. A real key does not begin so by chance.
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

const ISSUER = "Upstash";
/**
 * QStash's clock and the worker's may differ by this much. QStash has sent `nbf` equal to `iat`, so without tolerance one second of
 * difference refuses every call.
 */
const CLOCK_TOLERANCE_S = 10;

/** Why a call was refused, as `audit_refused_total` counts it. */
export type RefusalReason = "missing" | "malformed" | "key" | "url" | "clock" | "body";

/** Whether QStash signed a call. `bodyHash` must still be compared with the body. */
type Checked =
  | { readonly kind: "signed"; readonly bodyHash: unknown }
  | { readonly kind: "refused"; readonly reason: RefusalReason; readonly detail: string };

type SigningSettings = WorkerUrlSettings &
  Pick<
    Settings,
    | "QSTASH_CURRENT_SIGNING_KEY"
    | "QSTASH_NEXT_SIGNING_KEY"
    | "QSTASH_CURRENT_SIGNING_KEY_2"
    | "QSTASH_NEXT_SIGNING_KEY_2"
  >;

/** The keys to try, in order; without development keys unless both this request and the worker's own URL are on loopback. */
export function signingKeys(settings: SigningSettings, requestUrl: string): readonly string[] {
  const keys = configuredKeys(settings);
  // Only a development key depends on where it is used.
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
 * Checks the token of a call to `path` without its body: HS256, one of the worker's keys, one of its URLs, times within 10 s. Tries
 * the next key only after a wrong signature. `requestUrl` decides whether development keys count.
 */
export async function checkToken(
  token: string | null,
  path: string,
  requestUrl: string,
  settings: SigningSettings,
  nowMs: number,
): Promise<Checked> {
  if (!token) return refused("missing", '"upstash-signature" is missing');
  for (const key of signingKeys(settings, requestUrl)) {
    const checked = await checkWith(key, token, nowMs);
    if (!checked) continue;
    if (checked.kind === "refused") return checked;
    if (isWorkerUrl(checked.url, path, settings)) return { kind: "signed", bodyHash: checked.bodyHash };
    const detail = `claim "sub" is not the URL of "${path}"; set "AUDIT_WORKER_URL" to what the gateway publishes to`;
    return refused("url", detail);
  }
  return refused("key", '"upstash-signature" was made with another key');
}

/** Returns the error if another body was signed. The hash is base64url of SHA-256, with or without padding. */
export async function checkBody(bodyHash: unknown, body: Uint8Array) {
  const digest = toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", body)));
  if (typeof bodyHash === "string" && bodyHash.replace(/=+$/, "") === digest) return undefined;
  return refused("body", 'claim "body" does not match the body');
}

/** Returns true for a token that names QStash as its issuer, whoever signed it. */
export function namesQstash(token: string | null): boolean {
  const payload = token?.split(".")[1];
  const bytes = payload === undefined ? undefined : fromBase64(payload);
  const claims = bytes && parseJsonBytes(bytes);
  return typeof claims === "object" && claims !== null && "iss" in claims && claims.iss === ISSUER;
}

/** Undefined if only the signature is wrong. */
async function checkWith(key: string, token: string, nowMs: number) {
  try {
    const { payload } = await jwtVerify<{ body?: unknown }>(token, await importKey(key), {
      algorithms: ["HS256"],
      issuer: ISSUER,
      requiredClaims: ["exp", "body"],
      currentDate: new Date(nowMs),
      clockTolerance: CLOCK_TOLERANCE_S,
    });
    return { kind: "signed" as const, url: payload.sub, bodyHash: payload.body };
  } catch (error) {
    if (error instanceof JWSSignatureVerificationFailed) return undefined;
    return explain(error);
  }
}

function explain(error: unknown) {
  if (error instanceof JWTExpired) return refused("clock", 'claim "exp" is in the past');
  if (error instanceof JWTClaimValidationFailed) {
    const { claim } = error;
    return refused(claim === "nbf" ? "clock" : "malformed", `claim "${claim}" is missing or wrong`);
  }
  if (error instanceof JOSEAlgNotAllowed) return refused("malformed", '"alg" must be HS256');
  return refused("malformed", '"upstash-signature" is not a signed token');
}

function refused(reason: RefusalReason, detail: string) {
  return { kind: "refused" as const, reason, detail };
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
