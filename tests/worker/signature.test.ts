import { describe, expect, it } from "vitest";
import { configuredKeys, signingKeys, verifySignature } from "../../worker/signature.ts";
import { sign, type SignOptions } from "./support/direct.ts";

const URL_ = "https://worker.example/deliver";
const CURRENT = "sig_current";
const NEXT = "sig_next";
const BODY = '{"v":1}';

const tokenOf = (options: Partial<SignOptions> = {}, body: string | Uint8Array = BODY) =>
  sign(body, { key: CURRENT, url: URL_, ...options });

function verify(token: string | null, body: string | Uint8Array = BODY, keys: readonly string[] = [CURRENT, NEXT]) {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return verifySignature({ token, body: bytes, url: URL_ }, keys, Date.now());
}

const nowS = () => Math.floor(Date.now() / 1000);

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

function unsigned(): string {
  return `${part({ alg: "none" })}.${part({ iss: "Upstash", sub: URL_, exp: nowS() + 300 })}.`;
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
  const refused: readonly (readonly [string, () => Promise<string | null> | string | null, string])[] = [
    ["without a signature", () => null, '"upstash-signature" is missing'],
    ["with an empty signature", () => "", '"upstash-signature" is missing'],
    ["with something that is no token", () => "abc", '"upstash-signature" is not a signed token'],
    ["signed with another key", () => tokenOf({ key: "sig_other" }), '"upstash-signature" was made with another key'],
    ["signed with HS512", () => tokenOf({ alg: "HS512", key: CURRENT.repeat(8) }), '"alg" must be HS256'],
    ["with alg none", unsigned, '"alg" must be HS256'],
    ["ten seconds too late", () => tokenOf({ claims: { exp: nowS() - 10 } }), 'claim "exp" is in the past'],
    ["without exp", () => tokenOf({ without: ["exp"] }), 'claim "exp" is missing or wrong'],
    ["before nbf", () => tokenOf({ claims: { nbf: nowS() + 60 } }), 'claim "nbf" is missing or wrong'],
    ["of another issuer", () => tokenOf({ claims: { iss: "upstash" } }), 'claim "iss" is missing or wrong'],
    ["without an issuer", () => tokenOf({ without: ["iss"] }), 'claim "iss" is missing or wrong'],
    [
      "for another URL",
      () => tokenOf({ url: "https://worker.example/dead-letter" }),
      'claim "sub" is missing or wrong',
    ],
    ["for the URL with a slash", () => tokenOf({ url: `${URL_}/` }), 'claim "sub" is missing or wrong'],
    ["for another host", () => tokenOf({ url: "https://evil.example/deliver" }), 'claim "sub" is missing or wrong'],
    ["without a URL", () => tokenOf({ without: ["sub"] }), 'claim "sub" is missing or wrong'],
    ["with another body", () => tokenOf({}, '{"v":2}'), 'claim "body" does not match the body'],
    ["without a body hash", () => tokenOf({ without: ["body"] }), 'claim "body" is missing or wrong'],
    [
      "with a body hash that is no text",
      () => tokenOf({ claims: { body: 7 } }),
      'claim "body" does not match the body',
    ],
    [
      "signed with the next key, but too late",
      () => tokenOf({ key: NEXT, claims: { exp: 1 } }),
      'claim "exp" is in the past',
    ],
  ];

  it.each(refused)("%s", async (_, makeToken, message) => {
    await expect(verify(await makeToken())).rejects.toMatchObject({ code: "invalid_signature", message });
  });

  it("with a token whose claims were changed after signing", async () => {
    const [header, , signature] = (await tokenOf()).split(".");
    const [, payload] = (await tokenOf({ claims: { exp: nowS() + 9_999 } })).split(".");
    await expect(verify(`${header}.${payload}.${signature}`)).rejects.toMatchObject({
      message: '"upstash-signature" was made with another key',
    });
  });

  it("where no key is configured", async () => {
    await expect(verify(await tokenOf(), BODY, [])).rejects.toMatchObject({ code: "invalid_signature" });
  });

  it("never says a key, the token or a hash", async () => {
    for (const [, makeToken] of refused) {
      const token = await makeToken();
      const error = await verify(token).catch((reason: Error) => reason);
      expect(String(error)).not.toMatch(/sig_|[A-Za-z0-9_-]{30}/);
    }
  });

  it("does not try the next key after anything but a wrong signature", async () => {
    const tried: string[] = [];
    const keys = new Proxy([CURRENT, NEXT], {
      get: (list, name) => {
        if (name === "0" || name === "1") tried.push(name);
        return Reflect.get(list, name) as unknown;
      },
    });
    const expired = await tokenOf({ claims: { exp: 1 } });
    await expect(verify(expired, BODY, keys)).rejects.toMatchObject({ code: "invalid_signature" });
    expect(tried).toEqual(["0"]);
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
