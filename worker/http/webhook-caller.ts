/**
 * A message that the policy spilled, signed as a Standard Webhook. https://www.standardwebhooks.com The signature covers the body,
 * so the headers alone prove nothing. Headers that are wrong by themselves are refused at once.
 */
import { Webhook } from "standardwebhooks";
import { NOBODY, RefusedCall, type Caller, type CallerPorts } from "./caller.ts";

const HEADERS = ["webhook-id", "webhook-timestamp", "webhook-signature"] as const;
/** Tolerance that the standard allows for the timestamp. */
const TOLERANCE_MS = 5 * 60_000;
/** A version and the base64 of an HMAC-SHA256, which has 32 bytes. */
const SIGNATURE = /(?:^| )v1,[A-Za-z0-9+/]{43}=(?: |$)/;

/** Throws `invalid_signature` unless the headers could belong to a signed message. */
export function webhookCaller(request: Request, { settings, nowMs }: Pick<CallerPorts, "settings" | "nowMs">): Caller {
  const headers = Object.fromEntries(HEADERS.map((name) => [name, request.headers.get(name) ?? ""]));
  const missing = HEADERS.find((name) => headers[name] === "");
  if (missing !== undefined) throw new RefusedCall("invalid_signature", `"${missing}" is missing`, "missing");
  const signedMs = Number(headers["webhook-timestamp"]) * 1_000;
  const isInTime = Math.abs(nowMs - signedMs) <= TOLERANCE_MS + 1_000;
  if (!isInTime) throw refusal("clock");
  if (!SIGNATURE.test(headers["webhook-signature"] ?? "")) throw refusal("malformed");
  const keys = [settings.AUDIT_INGEST_KEY, settings.AUDIT_INGEST_KEY_PREVIOUS];
  return {
    operator: NOBODY,
    async checkBody(body) {
      const text = new TextDecoder().decode(body);
      if (!keys.some((key) => key !== undefined && isSignedWith(key, text, headers))) throw refusal("key");
    },
  };
}

function refusal(reason: string): RefusedCall {
  const detail = '"webhook-signature" does not match, or "webhook-timestamp" is more than five minutes off';
  return new RefusedCall("invalid_signature", detail, reason);
}

function isSignedWith(key: string, body: string, headers: Record<string, string>): boolean {
  try {
    new Webhook(key).verify(body, headers, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}
