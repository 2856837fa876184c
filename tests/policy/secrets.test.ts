import { describe, expect, it } from "vitest";
import { isSecretName } from "../../policy/secret-names.ts";
import { REDACTED, scrub } from "../../policy/secrets.ts";

describe("isSecretName", () => {
  it.each(
    (
      "password|userPassword|password_hash|passwd|secret|client_secret|clientSecretValue|token|accessToken|refresh_token|id-token|apiKey|api_key|X-API-Key|" +
      "authorization|Cookie|set-cookie|session|sessionToken|privateKey|ssh_key|signature|otp|cvv|ssn|cardNumber|credit_card_number|recovery_code|pin|jwt|credentials|" +
      "passwords|password2|clientsecret|accesstoken|privatekey|cardnumber|cvv2|apiKeys|pass|dbPass|mfaCode|otpCode|creditCard|credit_card|SAMLResponse|sessionId|session_id|JSESSIONID|connect.sid|ocp-apim-subscription-key|x-functions-key"
    ).split("|"),
  )("%s is one", (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each(
    "email|author|tokenId|token_type|passport|compass|bypass|sessionType|sessionCount|passwordChangedAt|key|keyId|monkey|tokenizer|pinned|spin|note|name|card|cardType|secretary|authentic|code|number|signed|https://auth.example.com/organization".split(
      "|",
    ),
  )("%s is none", (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

describe("a path of names", () => {
  it.each([
    ["password", "value"],
    ["tokens", "0"],
    ["secrets", "db"],
    ["card", "number"],
  ])("%s.%s is secret: it stands below one, or in a list of them", (...path) => {
    expect(isSecretName(path)).toBe(true);
  });

  it.each([
    ["token", "id"],
    ["user", "email"],
    ["items", "0"],
  ])("%s.%s is not", (...path) => {
    expect(isSecretName(path)).toBe(false);
  });

  it("is secret below a name of the user's", () => {
    expect(isSecretName(["diagnosis", "code"], ["diagnosis"])).toBe(true);
  });
});

const JWT =
  "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
// Put together here, so that no scanner takes this file for a leak.
const key = (prefix: string) => `${prefix}4eC39HqLyjWDarjtT1zdp7dc`;

describe("names of the user's", () => {
  it.each([
    [["iban"], ["IBAN"]],
    [["x-tax-id"], ["X-Tax-Id"]],
    [["IBAN"], ["iban"]],
    [["account", "Diagnosis"], ["diagnosis"]],
  ])("%j is one of %j, as headers have no case", (path, more) => {
    expect(isSecretName(path, more)).toBe(true);
  });
});

describe("scrub", () => {
  it("finds the secret among many harmless names", () => {
    const names = Array.from({ length: 80 }, (_, i) => `keys_${i}=1`).join(" ");
    expect(scrub(names)).toBe(names);
    expect(scrub(`${names} password=hunter2`)).toBe(`${names} [redacted]`);
  });

  it.each([
    ["a JWT", JWT],
    ["the beginning of a JWT", JWT.slice(0, 60)],
    ["a private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"],
    ["a private key without its end", "-----BEGIN PRIVATE KEY-----\nMIIEow"],
    ["an OpenSSH key", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn\n-----END OPENSSH PRIVATE KEY-----"],
    ["a Stripe key", key("sk_live_")],
    ["a WorkOS key", key("sk_test_")],
    ["a webhook key", key("whsec_")],
    ["a Zuplo key", key("zpka_")],
    ["a QStash key", key("sig_")],
    ["a GitHub token", key("ghp_")],
    ["a fine-grained GitHub token", key("github_pat_")],
    ["a GitLab token", key("glpat-")],
    ["a Slack token", key("xoxb-")],
    ["an npm token", key("npm_")],
    ["an AWS key id", "AKIAIOSFODNN7EXAMPLE"],
    ["a Google key", key("AIza")],
    ["a Google token", key("ya29.")],
    ["an OpenAI key", key("sk-")],
    ["bearer credentials", "Bearer abcdefghijkl"],
    ["basic credentials", "Basic dXNlcjpwYXNzd29yZA=="],
    ["a card number", "4111111111111111"],
    ["a card number with spaces", "5555 5555 5555 4444"],
    ["a card number with hyphens", "3782-822463-10005"],
    ["one of thirteen digits", "4222222222222"],
    ["one of Diners Club", "30569309025904"],
    ["one of JCB", "3530111333300000"],
    ["one of Discover", "6011000990139424"],
    ["one of the new Mastercards", "2223003122003222"],
    ["one of UnionPay with nineteen digits", "6205500000000000004"],
  ])("%s goes", (_name, secret) => {
    expect(scrub(secret)).toBe(REDACTED);
    expect(scrub(`before ${secret} after`)).not.toContain(secret.slice(0, 20));
    expect(scrub(`before (${secret})`)).toMatch(/^before \(\[redacted\]/);
  });

  it.each([
    ["password=hunter22", "[redacted]"],
    ['{"client_secret": "abc123"}', '{"[redacted]"}'],
    ["https://user:pass@host/path", "https://[redacted]@host/path"],
    ["access_token=abc&page=2", "[redacted]&page=2"],
    ["passphrase=correct", "[redacted]"],
    ["AccountName=acme;AccountKey=ab+cd+ef==;Suffix=net", "AccountName=acme;[redacted];Suffix=net"],
    ["access_token=abc&q=a%20b+c", "[redacted]&q=a%20b+c"],
    ["x-api-key: abcdef", "[redacted]"],
    ["Authorization: abcdef", "[redacted]"],
    [String.raw`{\"password\":\"hunter22\"}`, String.raw`{\"[redacted]\"}`],
    ["4111 1111 1111 1111 12/26", "[redacted]/26"],
    ["4111111111111111 123", "[redacted]"],
    ["12 4111111111111111", "12 [redacted]"],
    ["5555555555554444 1226", "[redacted]"],
    ["order 12345 4111111111111111", "order [redacted]"],
    ["card-4111111111111111, no.5555555555554444", "card-[redacted], no.[redacted]"],
    ["4111.1111.1111.1111", "[redacted]"],
    ["4111_1111_1111_1111", "[redacted]"],
    ["4111\u00A01111\u00A01111\u00A01111", "[redacted]"],
  ])("%s becomes %s", (text, expected) => {
    expect(scrub(text)).toBe(expected);
  });

  it.each([
    "ada@example.com",
    "4111111111111112",
    "0000000000000000",
    "1234567890123456",
    "2026-11-24T10:00:00.000Z",
    "01932b5e-7c1a-7d3e-9f00-3b1c2d4e5f60",
    "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
    "user_01EHWNC0FCBHZ3BJ7EGKYXK0E6",
    "Basic information was changed",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "https://host.test/path?page=2",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "task-force-of-the-year",
  ])("%s stays", (text) => {
    expect(scrub(text)).toBe(text);
  });

  it.each([
    "password%3Dhunter22",
    "password%253Dhunter22",
    "4111%201111%201111%201111",
    "4111+1111+1111+1111",
    "-----BEGIN%20PRIVATE%20KEY-----%0AMIIE",
    "-----BEGIN+RSA+PRIVATE+KEY-----MIIE",
    `token%3D${JWT}`,
    JWT.replaceAll(".", "%2E"),
    `key%3D${key("sk_live_")}`,
    "https%3A%2F%2Fuser%3Apass%40host",
    "Bearer%20abcdefghijkl",
  ])("%s goes, though it is encoded", (text) => {
    expect(scrub(text)).toBe(REDACTED);
  });

  it.each([
    "100%25 sure, 50% off + more",
    "%E2%82%AC 5%",
    "a+b@example.com",
    "+49 30 1234567",
    "3.14159265358979",
    "ids 417592884729911708, 30351110224678911, 2200000000000000004, 58351110224670",
    "2026-11-24 21:19:50 1234",
    "12345678-1234-1234-1234-123456789012",
  ])("%s stays as it is written", (text) => {
    expect(scrub(text)).toBe(text);
  });

  it("does not follow encodings upon encodings without end, as each costs time", () => {
    expect(scrub("100%25252525 sure")).toBe("100%25252525 sure");
    expect(scrub(`100%${"25".repeat(1_900)}`)).toBe(REDACTED);
  });

  it.each([
    ["https://user:a:b@host", "https://[redacted]@host"],
    ["https://:a@host", "https://[redacted]@host"],
    ["https://user::@host", "https://[redacted]@host"],
    ["https://user@host:80/", "https://user@host:80/"],
  ])("%s becomes %s", (text, expected) => {
    expect(scrub(text)).toBe(expected);
  });

  it("shows nothing of a long text that it did not look through", () => {
    const text = `${`${JWT} `.repeat(60)}tail-secret`;
    expect(scrub(text)).not.toContain("tail-secret");
    expect(scrub("a".repeat(5_000))).toMatch(/^a{1024}\[redacted\]$/);
  });

  it("ends on a text made to be slow", () => {
    const texts = [
      "ey".repeat(5_000),
      "4".repeat(9_000),
      "a:".repeat(5_000),
      `://${"a".repeat(9_000)}`,
      "token".repeat(2_000),
      "1234 ".repeat(2_000),
      "%25".repeat(3_000),
    ];
    expect(texts.map((text) => scrub(text))).toHaveLength(7);
  });
});
