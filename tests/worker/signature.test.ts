import { describe, expect, it } from "vitest";
import { checkBody, checkToken, configuredKeys, namesQstash, signingKeys } from "../../worker/signature.ts";
import { sign, type SignOptions } from "./support/direct.ts";

const URL_ = "https://worker.example/deliver";
const CURRENT = "sig_current";
const NEXT = "sig_next";
const BODY = '{"v":1}';

const tokenOf = (options: Partial<SignOptions> = {}, body: string | Uint8Array = BODY) =>
  sign(body, { key: CURRENT, url: URL_, ...options });

const settingsWith = (keys: readonly string[]) => ({
  QSTASH_CURRENT_SIGNING_KEY: keys[0] ?? "sig_unused",
  QSTASH_NEXT_SIGNING_KEY: keys[1] ?? "sig_unused",
  QSTASH_CURRENT_SIGNING_KEY_2: keys[2],
  QSTASH_NEXT_SIGNING_KEY_2: keys[3],
  AUDIT_WORKER_URL: "https://worker.example",
  AUDIT_WORKER_URL_PREVIOUS: ["https://old.example/base", "https://older.example:8443"],
});

/** When every token is checked, and what the claims count from: the real clock goes on between the two. */
const NOW_S = Math.floor(Date.now() / 1000);
const NOW_MS = NOW_S * 1000;

/** Undefined where it is taken. */
async function verify(
  token: string | null,
  body: string | Uint8Array = BODY,
  keys: readonly string[] = [CURRENT, NEXT],
) {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const checked = await checkToken(token, "/deliver", URL_, settingsWith(keys), NOW_MS);
  return checked.kind === "refused" ? checked : checkBody(checked.bodyHash, bytes);
}

const ANOTHER_KEY = '"upstash-signature" was made with another key';
const ANOTHER_URL = 'claim "sub" is not the URL of "/deliver"; set "AUDIT_WORKER_URL" to what the gateway publishes to';

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

function unsigned(): string {
  return `${part({ alg: "none" })}.${part({ iss: "Upstash", sub: URL_, exp: NOW_S + 300 })}.`;
}

describe("a delivery is taken", () => {
  it.each([
    ["signed with the current key", CURRENT],
    ["signed with the next key", NEXT],
  ])("%s", async (_, key) => {
    await expect(verify(await tokenOf({ key }))).resolves.toBeUndefined();
  });

  it.each([
    ["current", "sig_eu_current"],
    ["next", "sig_eu_next"],
  ])("of a second region, signed with its %s key", async (_, key) => {
    const keys = [CURRENT, NEXT, "sig_eu_current", "sig_eu_next"];
    await expect(verify(await tokenOf({ key }), BODY, keys)).resolves.toBeUndefined();
  });

  it.each([
    "https://WORKER.example/deliver",
    "https://worker.example:443/deliver",
    "https://worker.example/deliver/",
    "HTTPS://worker.example/deliver",
    "https://old.example/base/deliver",
    "https://OLDER.example:8443/deliver/",
  ])("for the worker's URL as %s", async (url) => {
    expect(await verify(await tokenOf({ url }))).toBeUndefined();
  });

  it.each([
    ["9 s too late", { exp: NOW_S - 9 }],
    ["9 s before nbf", { nbf: NOW_S + 9 }],
  ])("%s, because clocks differ", async (_, claims) => {
    expect(await verify(await tokenOf({ claims }))).toBeUndefined();
  });

  it("with a body that is no UTF-8, byte for byte", async () => {
    const bytes = new Uint8Array([0xff, 0xfe, 0x00, 0x80]);
    await expect(verify(await tokenOf({}, bytes), bytes)).resolves.toBeUndefined();
  });

  it("with a body hash without padding", async () => {
    const { createHash } = await import("node:crypto");
    const body = createHash("sha256").update(BODY).digest("base64url");
    await expect(verify(await tokenOf({ claims: { body } }))).resolves.toBeUndefined();
  });

  it("with a body hash whose base64url differs from base64", async () => {
    // Found by trial: its hash holds both characters that the two alphabets write differently.
    const body = '{"n":1}';
    await expect(verify(await tokenOf({}, body), body)).resolves.toBeUndefined();
  });
});

describe("a delivery is refused", () => {
  const refused: readonly (readonly [string, () => Promise<string | null> | string | null, string, string])[] = [
    ["without a signature", () => null, "missing", '"upstash-signature" is missing'],
    ["with an empty signature", () => "", "missing", '"upstash-signature" is missing'],
    ["with something that is no token", () => "abc", "malformed", '"upstash-signature" is not a signed token'],
    ["signed with another key", () => tokenOf({ key: "sig_other" }), "key", ANOTHER_KEY],
    ["signed with HS512", () => tokenOf({ alg: "HS512", key: CURRENT.repeat(8) }), "malformed", '"alg" must be HS256'],
    ["with alg none", unsigned, "malformed", '"alg" must be HS256'],
    ["11 s too late", () => tokenOf({ claims: { exp: NOW_S - 11 } }), "clock", 'claim "exp" is in the past'],
    ["without exp", () => tokenOf({ without: ["exp"] }), "malformed", 'claim "exp" is missing or wrong'],
    ["11 s before nbf", () => tokenOf({ claims: { nbf: NOW_S + 11 } }), "clock", 'claim "nbf" is missing or wrong'],
    ["of another issuer", () => tokenOf({ claims: { iss: "up" } }), "malformed", 'claim "iss" is missing or wrong'],
    ["without an issuer", () => tokenOf({ without: ["iss"] }), "malformed", 'claim "iss" is missing or wrong'],
    ["for another path", () => tokenOf({ url: "https://worker.example/dead-letter" }), "url", ANOTHER_URL],
    ["for another path in capitals", () => tokenOf({ url: "https://worker.example/Deliver" }), "url", ANOTHER_URL],
    ["for another host", () => tokenOf({ url: "https://evil.example/deliver" }), "url", ANOTHER_URL],
    ["for another port", () => tokenOf({ url: "https://worker.example:8443/deliver" }), "url", ANOTHER_URL],
    ["without TLS", () => tokenOf({ url: "http://worker.example/deliver" }), "url", ANOTHER_URL],
    ["with a query", () => tokenOf({ url: `${URL_}?a=1` }), "url", ANOTHER_URL],
    ["for a former host without its path", () => tokenOf({ url: "https://old.example/deliver" }), "url", ANOTHER_URL],
    ["without a URL", () => tokenOf({ without: ["sub"] }), "url", ANOTHER_URL],
    ["with another body", () => tokenOf({}, '{"v":2}'), "body", 'claim "body" does not match the body'],
    ["without a body hash", () => tokenOf({ without: ["body"] }), "malformed", 'claim "body" is missing or wrong'],
    [
      "with a number as body hash",
      () => tokenOf({ claims: { body: 7 } }),
      "body",
      'claim "body" does not match the body',
    ],
    [
      "with the next key, late",
      () => tokenOf({ key: NEXT, claims: { exp: 1 } }),
      "clock",
      'claim "exp" is in the past',
    ],
  ];

  it.each(refused)("%s", async (_, makeToken, reason, detail) => {
    expect(await verify(await makeToken())).toEqual({ kind: "refused", reason, detail });
  });

  it("with a token whose claims were changed after signing", async () => {
    const [header, , signature] = (await tokenOf()).split(".");
    const [, payload] = (await tokenOf({ claims: { exp: NOW_S + 9_999 } })).split(".");
    expect(await verify(`${header}.${payload}.${signature}`)).toMatchObject({ reason: "key", detail: ANOTHER_KEY });
  });

  it("where no key is configured", async () => {
    expect(await verify(await tokenOf(), BODY, [])).toMatchObject({ reason: "key" });
  });

  it("never says a key, the token or a hash", async () => {
    for (const [, makeToken] of refused) {
      const token = await makeToken();
      expect(JSON.stringify(await verify(token))).not.toMatch(/sig_|[A-Za-z0-9_-]{30}/);
    }
  });

  it("does not try the next key after anything but a wrong signature", async () => {
    const expired = await tokenOf({ claims: { exp: 1 } });
    const settings = Object.defineProperty(settingsWith([CURRENT]), "QSTASH_NEXT_SIGNING_KEY", { value: "" });
    // An empty key cannot be imported, so that trying it would throw.
    await expect(checkToken(expired, "/deliver", URL_, settings, NOW_MS)).resolves.toMatchObject({
      reason: "clock",
    });
    const other = await tokenOf({ key: "sig_other" });
    await expect(checkToken(other, "/deliver", URL_, settings, NOW_MS)).resolves.toMatchObject({ kind: "refused" });
  });
});

describe("a token that names QStash", () => {
  it("is known without a key", async () => {
    expect(namesQstash(await tokenOf({ key: "sig_other", url: "https://evil.example", claims: { exp: 1 } }))).toBe(
      true,
    );
    expect(namesQstash(unsigned())).toBe(true);
  });

  it.each([null, "", "abc", "a.b.c", `a.${part([])}.c`, `a.${part({ iss: "upstash" })}.c`])("is not %j", (token) => {
    expect(namesQstash(token)).toBe(false);
  });
});

describe("the keys", () => {
  const DEV = "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r";
  const DEV_NEXT = "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs";
  const settings = {
    QSTASH_CURRENT_SIGNING_KEY: DEV,
    QSTASH_NEXT_SIGNING_KEY: DEV_NEXT,
    QSTASH_CURRENT_SIGNING_KEY_2: "sig_own",
    QSTASH_NEXT_SIGNING_KEY_2: undefined,
    AUDIT_WORKER_URL: "http://127.0.0.1:8787",
    AUDIT_WORKER_URL_PREVIOUS: undefined,
  };

  it("are all of both regions, in order, on loopback", () => {
    for (const host of ["127.0.0.1:8787", "localhost:1", "[::1]:2", "worker.localhost", "127.1.2.3"]) {
      expect(signingKeys(settings, `http://${host}/deliver`)).toEqual([DEV, DEV_NEXT, "sig_own"]);
    }
  });

  it.each([
    ["the request comes from outside", settings.AUDIT_WORKER_URL, "https://worker.example/deliver"],
    ["the worker's URL is public", "https://worker.example", "http://127.0.0.1:8787/deliver"],
    ["a name only looks like loopback", "http://127.0.0.1", "https://127.0.0.1.evil.example/deliver"],
    ["a name starts with 127", "http://127.0.0.1", "https://127.evil.example/deliver"],
    ["a name ends in localhost without a dot", "http://127.0.0.1", "https://evillocalhost/deliver"],
  ])("leave the public development keys out where %s", (_, AUDIT_WORKER_URL, requestUrl) => {
    expect(signingKeys({ ...settings, AUDIT_WORKER_URL }, requestUrl)).toEqual(["sig_own"]);
    expect(configuredKeys(settings)).toHaveLength(3);
  });

  // https://upstash.com/docs/qstash/howto/local-development
  it.each([
    "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
    "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs",
    "sig_7GVPjvuwsfqF65iC8fSrs1dfYruM",
    "sig_5NoELc3EFnZn4DVS5bDs2Nk4b7Ua",
    "sig_6jWGaWRxHsw4vMSPJprXadyvrybF",
    "sig_7qHbvhmahe5GwfePDiS5Lg3pi6Qx",
    "sig_5T8FcSsynBjn9mMLBsXhpacRovJf",
    "sig_7GFR4YaDshFcqsxWRZpRB161jguD",
    "sig_7RvLjqfZBvP5KEUimQCE1pvpLuou",
    "sig_7W3ZNbfKWk5NWwEs3U4ixuQ7fxwE",
  ])("%s is a public one, and one that differs early is not", (key) => {
    const own = `sig_${key.slice(5)}`;
    const keys = { ...settings, QSTASH_CURRENT_SIGNING_KEY: key, QSTASH_NEXT_SIGNING_KEY: own };
    expect(signingKeys(keys, "https://worker.example/deliver")).toEqual([own, "sig_own"]);
  });
});
