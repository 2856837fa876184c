import { expect, it } from "vitest";
import {
  faultOf,
  missingSecrets,
  parseValues,
  PLAIN_VARIABLES,
  sameValue,
  SECRETS,
} from "../../../cli/deploy/variables.ts";
import { EvidenceVariables } from "../../../worker/evidence/variables.ts";
import { parseSettings } from "../../../worker/variables.ts";

const EXAMPLES: Readonly<Record<string, string>> = {
  AUDIT_INGEST_KEY: "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5",
  AUDIT_INGEST_KEY_PREVIOUS: "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5",
  AUDIT_ALERT_KEY: "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5",
  AUDIT_OPERATOR_EVENTS: "off",
  AUDIT_ADMIN_TOKEN: "0123456789abcdef01234567",
  AUDIT_ALERT_URL: "https://alerts.example.com/hook",
  AUDIT_WORKER_URL: "https://worker.example.com",
  AUDIT_WORKER_URL_PREVIOUS: "https://old.example.com, https://older.example.com/",
  AUDIT_TOKENS: JSON.stringify([{ name: "ann", role: "operate", sha256: "0".repeat(64), expires: "2099-01-31" }]),
  AUDIT_ACCESS_ROLE: "admin",
  AUDIT_RATE: "40",
  AUDIT_OBJECT_MAX_BYTES: "5000000000",
  AUDIT_PROBE_URL: "https://api.example.com/health",
  AUDIT_JURISDICTION: "eu",
  WORKOS_BASE_URL: "https://api.workos.com",
  QSTASH_URL: "https://qstash.upstash.io",
};
const URL_SHAPE = "must be an https URL without a user and a password (http only for this machine)";
const NAMES = [...Object.keys(SECRETS), ...Object.keys(PLAIN_VARIABLES)];
const ALL = Object.fromEntries(NAMES.map((name) => [name, EXAMPLES[name] ?? "value"]));

it("knows exactly the variables that the worker reads", () => {
  const parsed = parseSettings(ALL);
  expect(parsed).toMatchObject({ ok: true });
  const read = [...Object.keys(parsed.ok ? parsed.settings : {}), ...Object.keys(EvidenceVariables.shape)];
  expect(read.toSorted()).toEqual(NAMES.toSorted());
});

it("calls required exactly what the worker misses, with the URL that a deploy finds out itself", () => {
  const parsed = parseSettings({ QSTASH_URL: "https://qstash.upstash.io" });
  const missing = parsed.ok ? [] : parsed.missing;
  expect([...missingSecrets([], []), "AUDIT_WORKER_URL"].toSorted()).toEqual(missing.toSorted());
});

it.each([
  "AUDIT_EVIDENCE_KEY",
  "AUDIT_EVIDENCE_COPIES",
  "AUDIT_TSA_URL",
  "AUDIT_ANCHOR_URL",
  "AUDIT_ANCHOR_KEY",
] as const)("refuses a %s for which sealing would wait", (name) => {
  expect(faultOf(name, "wrong")).toMatch(/^must be /);
  expect(EvidenceVariables.shape[name].safeParse("wrong").success).toBe(false);
});

it.each([
  "AUDIT_INGEST_KEY",
  "AUDIT_ALERT_KEY",
  "AUDIT_ALERT_URL",
  "AUDIT_WORKER_URL",
  "AUDIT_WORKER_URL_PREVIOUS",
  "AUDIT_RATE",
  "AUDIT_OBJECT_MAX_BYTES",
  "AUDIT_PROBE_URL",
  "AUDIT_OPERATOR_EVENTS",
  "AUDIT_TOKENS",
  "AUDIT_ACCESS_ROLE",
  "AUDIT_JURISDICTION",
])("refuses a %s that the worker would refuse", (name) => {
  expect(faultOf(name, "wrong")).toMatch(/^must be /);
  expect(parseSettings({ ...ALL, [name]: "wrong" })).toMatchObject({ ok: false, malformed: [name] });
});

it.each(["1", "100", " 20 ", "020", "0", "101", "1e1", "0x10", "12.5", "-1"])(
  "accepts the rate %j exactly if the worker does",
  (rate) => {
    expect(faultOf("AUDIT_RATE", rate) === undefined).toBe(parseSettings({ ...ALL, AUDIT_RATE: rate }).ok);
  },
);

it("takes a value as missing where it is empty", () => {
  expect(parseValues("WORKOS_API_KEY=\nQSTASH_TOKEN='ab'")).toEqual({ secrets: { QSTASH_TOKEN: "ab" }, plain: {} });
});

it.each([
  ["AUDIT_ADMIN_TOKEN", "0123456789abcdef0123456", "must be 24 characters or more, without spaces"],
  ["AUDIT_INGEST_KEY", "whsec_YQ==", 'must be "whsec_" and the base64 of 24 bytes or more'],
  ["AUDIT_ALERT_KEY", "whsec_YWFhYWFhYWJiYmJiYmJiY2NjY2NjYw==", 'must be "whsec_" and the base64 of 24 bytes or more'],
  ["WORKOS_BASE_URL", "http://api.workos.com", URL_SHAPE],
  ["AUDIT_WORKER_URL", "http://audit.corp.internal", URL_SHAPE],
  ["AUDIT_WORKER_URL", "http://127.0.0.1.evil.com", URL_SHAPE],
  ["AUDIT_ALERT_URL", "https://ada:pw@alerts.corp.internal", URL_SHAPE],
  ["AUDIT_PROBE_URL", "https://ada@api.corp.internal/health", URL_SHAPE],
  ["QSTASH_TOKEN", "a b", "must be a QStash token"],
])("refuses what is weak: %s=%s", (name, value, fault) => {
  expect(faultOf(name, value)).toBe(fault);
});

it.each(["http://127.0.0.1:8787", "http://localhost:8787/", "http://[::1]:8787", "HTTPS://Audit.Example.COM"])(
  "accepts %s as the URL of the worker",
  (url) => {
    expect(faultOf("AUDIT_WORKER_URL", url)).toBeUndefined();
  },
);

it.each([
  ["https://audit.example.com", "HTTPS://Audit.Example.com:443/", true],
  ["https://audit.example.com/a", "https://audit.example.com/A", false],
  ["https://audit.example.com", "https://audit.example.com:8443", false],
  ["workos", "WorkOS", false],
])("compares %s with %s: %s", (one, other, same) => {
  expect(sameValue(one, other)).toBe(same);
});
