import { describe, expect, it } from "vitest";
import { isSecretName, REDACTED, scrub } from "../../policy/secrets.ts";

describe("isSecretName", () => {
  it.each(
    (
      "password|userPassword|password_hash|passwd|secret|client_secret|clientSecretValue|token|accessToken|refresh_token|id-token|apiKey|api_key|X-API-Key|" +
      "authorization|Cookie|set-cookie|session|sessionToken|privateKey|ssh_key|signature|otp|cvv|ssn|cardNumber|credit_card_number|recovery_code|pin|jwt|credentials"
    ).split("|"),
  )("%s is one", (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each(
    "email|author|tokenId|token_type|session_id|passwordChangedAt|key|keyId|monkey|tokenizer|pinned|spin|note|name|card|cardType|secretary|authentic|code|number|signed".split(
      "|",
    ),
  )("%s is none", (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

const JWT =
  "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
// Put together here, so that no scanner takes this file for a leak.
const key = (prefix: string) => `${prefix}4eC39HqLyjWDarjtT1zdp7dc`;

describe("scrub", () => {
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

  it("shows nothing of a long text that it did not look through", () => {
    const text = `${`${JWT} `.repeat(60)}tail-secret`;
    expect(scrub(text)).not.toContain("tail-secret");
    expect(scrub("a".repeat(5_000))).toMatch(/^a{4000}\[redacted\]$/);
  });

  it("ends soon on a text made to be slow", { timeout: 5_000 }, () => {
    const texts = [
      "ey".repeat(5_000),
      "4".repeat(9_000),
      "a:".repeat(5_000),
      `://${"a".repeat(9_000)}`,
      "token".repeat(2_000),
    ];
    expect(texts.map(scrub)).toHaveLength(5);
  });
});
