/** An operator: `Authorization: Bearer <token>`, or a person who signed in through Cloudflare Access. */
import { expiryMs, SECRET_MIN_LENGTH } from "../../shared/access-tokens.ts";
import { fromHex } from "../../shared/bytes.ts";
import type { Settings } from "../variables.ts";
import { RefusedCall, type Caller, type CallerPorts, type Operator } from "./caller.ts";
import { accessIdentity } from "./cloudflare-access.ts";

/** The operator of `AUDIT_ADMIN_TOKEN`, which names no person. */
const ADMIN: Operator = { name: "admin", role: "admin" };

/** The reason for refusing a token that may be a guess. */
export const WRONG_TOKEN = "wrong_token";
export const EXPIRED_TOKEN = "expired_token";

const EXPECTED = '"authorization" must be "Bearer <token>"';

type Ports = Pick<CallerPorts, "settings" | "nowMs">;

/** Throws `unauthorized` unless an operator calls. A token must be valid even if a person has signed in as well. */
export async function tokenCaller(request: Request, { settings, nowMs }: Ports): Promise<Caller> {
  const query = new URL(request.url).searchParams;
  if (["token", "access_token", "admin_token"].some((name) => query.has(name))) {
    throw refusal('a token in the query is refused; send it in the "authorization" header');
  }
  const header = request.headers.get("authorization");
  if (header === null) {
    const person = await accessIdentity(request, settings);
    if (person === undefined) throw refusal(EXPECTED);
    return { operator: { name: person, role: settings.AUDIT_ACCESS_ROLE } };
  }
  const token = /^Bearer (.+)$/i.exec(header)?.[1];
  if (token === undefined) throw refusal(EXPECTED);
  return { operator: await holderOf(token, settings, nowMs) };
}

/** Looks up a token by its hash. */
interface Known {
  readonly hash: Uint8Array;
  readonly operator: Operator;
  readonly untilMs: number;
}

/**
 * Compares hashes, and always all of them, so that timing reveals neither the length, nor the first difference, nor the position in
 * the list.
 */
async function holderOf(token: string, settings: Settings, nowMs: number): Promise<Operator> {
  const hash = await sha256(token);
  let holder: Known | undefined;
  for (const known of await knownTokens(settings)) {
    if (crypto.subtle.timingSafeEqual(hash, known.hash)) holder ??= known;
  }
  if (!holder || token.length < SECRET_MIN_LENGTH) throw refusal('the token in "authorization" is wrong', WRONG_TOKEN);
  if (nowMs >= holder.untilMs) throw refusal('the token in "authorization" has expired', EXPIRED_TOKEN);
  return holder.operator;
}

const lists = new WeakMap<Settings, readonly Known[]>();

/** Hashes and dates are parsed once for each environment. */
async function knownTokens(settings: Settings): Promise<readonly Known[]> {
  const known = lists.get(settings) ?? [
    { hash: await sha256(settings.AUDIT_ADMIN_TOKEN), operator: ADMIN, untilMs: Infinity },
    ...(settings.AUDIT_TOKENS ?? []).map(({ name, role, sha256: hex, expires }) => ({
      hash: fromHex(hex),
      operator: { name, role },
      untilMs: expires === undefined ? Infinity : (expiryMs(expires) ?? 0),
    })),
  ];
  lists.set(settings, known);
  return known;
}

function refusal(detail: string, reason = "missing"): RefusedCall {
  return new RefusedCall("unauthorized", detail, reason);
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
