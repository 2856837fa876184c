/** Who is let in to the admin routes: the token, or a person whom Cloudflare Access vouches for. */
import { env } from "cloudflare:workers";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { PlatformEnv } from "../../../worker/env.ts";
import { parseSettings, type Settings } from "../../../worker/variables.ts";
import { problemOf } from "../../../worker/http/problem.ts";
import { tokenCaller } from "../../../worker/http/token-caller.ts";

const TEAM = "team.cloudflareaccess.com";
const AUDIENCE = "aud-of-the-application";
const TOKEN = "test-admin-token-0000001";

type Key = Awaited<ReturnType<typeof generateKeyPair>>["privateKey"];
let key: Key;
let otherKey: Key;
let settings: Settings;

beforeAll(async () => {
  const pair = await generateKeyPair("RS256", { extractable: true });
  key = pair.privateKey;
  otherKey = (await generateKeyPair("RS256")).privateKey;
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: "k1", alg: "RS256", use: "sig" };
  vi.spyOn(globalThis, "fetch").mockImplementation((input) => {
    const isRight = input === `https://${TEAM}/cdn-cgi/access/certs`;
    return Promise.resolve(isRight ? Response.json({ keys: [jwk] }) : new Response("", { status: 404 }));
  });
  const parsed = parseSettings(env as unknown as PlatformEnv);
  if (!parsed.ok) throw new Error("the variables of the tests are wrong");
  settings = { ...parsed.settings, AUDIT_ACCESS_TEAM_DOMAIN: TEAM, AUDIT_ACCESS_AUDIENCE: AUDIENCE };
});

interface Claims {
  readonly issuer?: string;
  readonly audience?: string;
  readonly expires?: string;
  readonly signer?: Key;
  readonly payload?: Record<string, unknown>;
}

function assertion({
  issuer = `https://${TEAM}`,
  audience = AUDIENCE,
  expires = "1m",
  signer,
  payload,
}: Claims = {}): Promise<string> {
  return new SignJWT({ email: "ada@example.com", ...payload })
    .setProtectedHeader({ alg: "RS256", kid: "k1" })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject("user-1")
    .setIssuedAt()
    .setExpirationTime(expires)
    .sign(signer ?? key);
}

/** The operator's name, or the refusal's code and words. */
async function admitted(
  headers: Record<string, string>,
  init: { query?: string; method?: string; settings?: Settings } = {},
) {
  const request = new Request(`https://worker.example/api/replays${init.query ?? ""}`, {
    method: init.method ?? "GET",
    headers,
  });
  const caller = await tokenCaller(request, { settings: init.settings ?? settings, nowMs: Date.now() }).catch(
    problemOf,
  );
  if (!(caller instanceof Response)) return caller?.operator.name;
  expect(caller.status).toBe(401);
  expect(caller.headers.get("www-authenticate")).toBe("Bearer");
  return (await caller.json<{ detail: string }>()).detail;
}

describe("the token", () => {
  it.each<[string, Record<string, string>, string, string]>([
    ["lets its holder in", { authorization: `Bearer ${TOKEN}` }, "", "admin"],
    ["is a bearer token in any case of the scheme", { authorization: `bearer ${TOKEN}` }, "", "admin"],
    ["is needed", {}, "", '"authorization" must be "Bearer <token>"'],
    [
      "must be right",
      { authorization: "Bearer test-admin-token-0000002" },
      "",
      'the token in "authorization" is wrong',
    ],
    ["must be whole", { authorization: "Bearer test-admin" }, "", 'the token in "authorization" is wrong'],
    ["must be a bearer token", { authorization: `Basic ${TOKEN}` }, "", '"authorization" must be'],
    [
      "may not stand in the query",
      { authorization: `Bearer ${TOKEN}` },
      `?token=${TOKEN}`,
      "a token in the query is refused",
    ],
  ])("%s", async (_, headers, query, expected) => {
    expect(await admitted(headers, { query })).toContain(expected);
  });
});

describe("Cloudflare Access", () => {
  const signed = async (claims?: Claims) => ({ "cf-access-jwt-assertion": await assertion(claims) });

  it("lets a person in by name", async () => {
    expect(await admitted(await signed())).toBe("ada@example.com");
  });

  it("lets a service token in by its common name", async () => {
    expect(await admitted(await signed({ payload: { email: undefined, common_name: "ci.access" } }))).toBe("ci.access");
  });

  it.each<[string, Claims]>([
    ["another application", { audience: "other" }],
    ["another team", { issuer: "https://other.cloudflareaccess.com" }],
    ["a time that is over", { expires: "-1m" }],
  ])("does not let in an assertion for %s", async (_, claims) => {
    expect(await admitted(await signed(claims))).toContain('"authorization" must be');
  });

  it("does not let in what another key signed, or nothing", async () => {
    expect(await admitted(await signed({ signer: otherKey }))).toContain('"authorization" must be');
    const [, payload] = (await assertion()).split(".");
    const unsigned = `${btoa('{"alg":"none"}').replace(/=+$/, "")}.${payload}.`;
    expect(await admitted({ "cf-access-jwt-assertion": unsigned })).toContain('"authorization" must be');
  });

  it.each([
    ["cross-site", "POST", false],
    ["same-site", "POST", false],
    ["none", "POST", false],
    ["cross-site", "GET", false],
    ["same-origin", "POST", true],
    ["none", "GET", true],
  ])("a browser's %s %s is let in: %s", async (site, method, isIn) => {
    const name = await admitted({ ...(await signed()), "sec-fetch-site": site }, { method });
    expect(name === "ada@example.com").toBe(isIn);
  });

  it("does not make up for a wrong token", async () => {
    expect(await admitted({ ...(await signed()), authorization: "Bearer wrong-token-0000000" })).toContain("is wrong");
  });

  it("counts for nothing where it is not set up", async () => {
    const { AUDIT_ACCESS_AUDIENCE: _audience, ...half } = settings;
    expect(await admitted(await signed(), { settings: half })).toContain('"authorization" must be');
  });
});
