/** The worker's variables: what is taken, and as what. */
import { describe, expect, it } from "vitest";
import { parseSettings } from "../../worker/variables.ts";
import { INGEST_KEY } from "./support/variables.ts";

const variables = {
  WORKOS_API_KEY: "sk_test",
  QSTASH_URL: "https://qstash.example",
  QSTASH_TOKEN: "token",
  QSTASH_CURRENT_SIGNING_KEY: "sig_1",
  QSTASH_NEXT_SIGNING_KEY: "sig_2",
  AUDIT_WORKER_URL: "https://worker.example",
  AUDIT_INGEST_KEY: INGEST_KEY,
  AUDIT_ADMIN_TOKEN: "admin-token-of-24-chars-",
};

it.each([
  ["https://queue.example/eu/", "https://queue.example/eu"],
  ["http://127.0.0.1:8080//", "http://127.0.0.1:8080"],
  ["HTTPS://Queue.example:443", "https://queue.example"],
  [" https://queue.example/ \n", "https://queue.example"],
])("%j is taken as %j", (given, taken) => {
  expect(parseSettings({ ...variables, QSTASH_URL: given })).toMatchObject({
    ok: true,
    settings: { QSTASH_URL: taken },
  });
});

it.each([
  "queue.example",
  "ftp://queue.example",
  "https:queue.example",
  "https://",
  "http://a b",
  "javascript:https://x",
])("%j is malformed", (given) => {
  const result = parseSettings({ ...variables, QSTASH_URL: given });
  expect(result).toEqual({ ok: false, missing: [], malformed: ["QSTASH_URL"] });
});

describe("a value that was piped in", () => {
  it.each(Object.entries(variables))("may end in a line break: %s", (name, value) => {
    const parsed = parseSettings({ ...variables, [name]: `${value}\r\n` });
    expect(parsed).toMatchObject({ ok: true, settings: { [name]: value } });
  });
});

describe("a value that cannot be sent or signed with is malformed", () => {
  it.each([
    ["WORKOS_API_KEY", "   "],
    ["WORKOS_API_KEY", "sk_1 sk_2"],
    ["WORKOS_API_KEY", "sk_\u0007"],
    ["QSTASH_TOKEN", "tokén"],
    ["QSTASH_CURRENT_SIGNING_KEY", "sig_1\nsig_2"],
    ["AUDIT_ADMIN_TOKEN", "\t"],
    ["AUDIT_WORKER_URL", "https://worker.example/?a=1"],
    ["QSTASH_URL", "https://qstash.example/#a"],
    ["AUDIT_ALERT_URL", "https://alerts.example/a b"],
  ])("%s: %j", (name, value) => {
    expect(parseSettings({ ...variables, [name]: value })).toEqual({ ok: false, missing: [], malformed: [name] });
  });
});

describe("a secret that could be guessed is malformed", () => {
  const key = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString("base64")}`;

  it.each([
    ["AUDIT_ADMIN_TOKEN", "x".repeat(23), "x".repeat(24)],
    ["AUDIT_ADMIN_TOKEN", `${"x".repeat(23)}\n`, `${"x".repeat(24)}\n`],
    ["AUDIT_INGEST_KEY", key(23), key(24)],
    ["AUDIT_INGEST_KEY", key(1), key(32)],
    ["AUDIT_INGEST_KEY_PREVIOUS", key(23), key(24)],
    ["AUDIT_ALERT_KEY", key(23), key(24)],
    ["AUDIT_ALERT_KEY", `${key(24)}A`, key(25)],
  ])("%s: %j", (name, short, long) => {
    expect(parseSettings({ ...variables, [name]: short })).toEqual({ ok: false, missing: [], malformed: [name] });
    expect(parseSettings({ ...variables, [name]: long })).toMatchObject({ ok: true });
  });
});

const URLS = "WORKOS_BASE_URL QSTASH_URL AUDIT_WORKER_URL AUDIT_WORKER_URL_PREVIOUS AUDIT_ALERT_URL AUDIT_PROBE_URL";
describe.each(URLS.split(" "))("whoever listens on the way must not read what is sent to %s, so that", (name) => {
  it.each([
    "http://service.example",
    "HTTP://service.example",
    "http://localhost.example",
    "http://127.0.0.1.example",
    "http://128.0.0.1",
    "http://0.0.0.0",
    "https://ada:pw@service.example",
  ])("%s is malformed", (url) => {
    expect(parseSettings({ ...variables, [name]: url })).toEqual({ ok: false, missing: [], malformed: [name] });
  });

  it.each([
    "http://localhost:8080",
    "http://127.0.0.1:1",
    "http://[::1]:80",
    "http://worker.localhost",
    "https://x.example",
  ])("%s is accepted", (url) => {
    expect(parseSettings({ ...variables, [name]: url })).toMatchObject({ ok: true });
  });
});

it("an alert is posted to its URL as it stands: a slash at the end is part of another's address", () => {
  const parsed = parseSettings({ ...variables, AUDIT_ALERT_URL: "https://alerts.example/hook/?a=b/" });
  expect(parsed).toMatchObject({ ok: true, settings: { AUDIT_ALERT_URL: "https://alerts.example/hook/?a=b/" } });
});

it.each([
  ["AUDIT_OPERATOR_EVENTS", false],
  ["AUDIT_ALERT_KEY", 0],
  ["AUDIT_ADMIN_TOKEN", 1234],
])("%s: %j, which wrangler.toml can hold, is malformed, not missing", (name, value) => {
  expect(parseSettings({ ...variables, [name]: value })).toEqual({ ok: false, missing: [], malformed: [name] });
});

it("an empty value counts as missing", () => {
  expect(parseSettings({ ...variables, AUDIT_ALERT_KEY: "" })).toMatchObject({ ok: true });
  expect(parseSettings({ ...variables, AUDIT_ADMIN_TOKEN: "" })).toEqual({
    ok: false,
    missing: ["AUDIT_ADMIN_TOKEN"],
    malformed: [],
  });
});

describe("AUDIT_RATE", () => {
  it.each([
    [undefined, 80],
    ["1", 1],
    ["100", 100],
    [" 20\n", 20],
    [50, 50],
  ])("%j is %i events a second", (given, rate) => {
    expect(parseSettings({ ...variables, AUDIT_RATE: given })).toMatchObject({
      ok: true,
      settings: { AUDIT_RATE: rate },
    });
  });

  it.each(["0", "101", "-1", "12.5", "fast", " ", "1e9", "1e1", "0x", "0x10", "+20", "20.0", "٢٠", 0, 101, true])(
    "%j is malformed",
    (given) => {
      const parsed = parseSettings({ ...variables, AUDIT_RATE: given });
      expect(parsed).toEqual({ ok: false, missing: [], malformed: ["AUDIT_RATE"] });
    },
  );
});

describe("AUDIT_TOKENS", () => {
  const entry = { name: "ann", role: "read", sha256: "0".repeat(64) };

  it.each<[string, unknown]>([
    ["JSON", JSON.stringify([entry])],
    ["base64url", Buffer.from(JSON.stringify([entry])).toString("base64url")],
    ["a list in wrangler.toml", [entry]],
  ])("is read from %s", (_, given) => {
    expect(parseSettings({ ...variables, AUDIT_TOKENS: given })).toMatchObject({ settings: { AUDIT_TOKENS: [entry] } });
  });
});

it("people who come through Cloudflare Access may operate unless the variable says otherwise", () => {
  expect(parseSettings(variables)).toMatchObject({ settings: { AUDIT_ACCESS_ROLE: "operate" } });
});

it("former URLs of the worker are a list", () => {
  const given = "https://a.example/, http://127.0.0.1:1/base";
  expect(parseSettings({ ...variables, AUDIT_WORKER_URL_PREVIOUS: given })).toMatchObject({
    settings: { AUDIT_WORKER_URL_PREVIOUS: ["https://a.example", "http://127.0.0.1:1/base"] },
  });
});

it.each([
  ["AUDIT_WORKER_URL_PREVIOUS", "https://a.example,"],
  ["AUDIT_WORKER_URL_PREVIOUS", "https://a.example b.example"],
  ["AUDIT_WORKER_URL_PREVIOUS", "a.example"],
  ["AUDIT_PROBE_URL", "/health"],
  ["AUDIT_TOKENS", "[{}]"],
  ["AUDIT_TOKENS", "ann"],
  ["AUDIT_TOKENS", 1],
  ["AUDIT_TOKENS", {}],
  ["AUDIT_ENVIRONMENT", " "],
  ["AUDIT_ENVIRONMENT", "x".repeat(41)],
  ["AUDIT_ENVIRONMENT", "prod\u0000"],
  ["AUDIT_ACCESS_ROLE", "root"],
])("%s: %j is malformed", (name, value) => {
  expect(parseSettings({ ...variables, [name]: value })).toEqual({ ok: false, missing: [], malformed: [name] });
});
