/**
 * Cloudflare Access in front of the admin routes, instead of the bearer token: a person signs in, and the worker checks the
 * assertion that Access adds. https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/
 */
import { createRemoteJWKSet } from "jose/jwks/remote";
import { jwtVerify } from "jose/jwt/verify";
import type { Settings } from "../variables.ts";

type AccessSettings = Pick<Settings, "AUDIT_ACCESS_TEAM_DOMAIN" | "AUDIT_ACCESS_AUDIENCE">;
type KeySet = ReturnType<typeof createRemoteJWKSet>;

const keySets = new Map<string, KeySet>();

/**
 * Returns who signed in. Undefined if Access is not set up, did not vouch for the request, or another site made the browser send
 * it: Access adds its assertion to every request that carries its cookie.
 */
export async function accessIdentity(request: Request, settings: AccessSettings): Promise<string | undefined> {
  const { AUDIT_ACCESS_TEAM_DOMAIN: team, AUDIT_ACCESS_AUDIENCE: audience } = settings;
  const assertion = request.headers.get("cf-access-jwt-assertion");
  if (!team || !audience || !assertion || isCrossSite(request)) return undefined;
  try {
    const { payload } = await jwtVerify(assertion, keySetOf(team), {
      algorithms: ["RS256"],
      issuer: `https://${team}`,
      audience,
      requiredClaims: ["exp", "sub"],
    });
    // A service token has a common name instead of an e-mail address.
    const names = [payload["email"], payload["common_name"], payload.sub];
    return names.find((name): name is string => typeof name === "string" && name !== "");
  } catch {
    return undefined;
  }
}

/** https://www.w3.org/TR/fetch-metadata/ */
function isCrossSite(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  return site !== null && site !== "same-origin" && !(site === "none" && request.method === "GET");
}

/** The team's keys, fetched on first use and again when a new one appears. */
function keySetOf(team: string): KeySet {
  const known = keySets.get(team) ?? createRemoteJWKSet(new URL(`https://${team}/cdn-cgi/access/certs`));
  keySets.set(team, known);
  return known;
}
