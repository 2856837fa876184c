import { expect, it } from "vitest";
import { faultOf, missingSecrets, parseValues, PLAIN_VARIABLES, SECRETS } from "../../../cli/deploy/variables.ts";
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
  AUDIT_RATE: "40",
  AUDIT_PROBE_URL: "https://api.example.com/health",
  WORKOS_BASE_URL: "https://api.workos.com",
  QSTASH_URL: "https://qstash.upstash.io",
};
const NAMES = [...Object.keys(SECRETS), ...Object.keys(PLAIN_VARIABLES)];
const ALL = Object.fromEntries(NAMES.map((name) => [name, EXAMPLES[name] ?? "value"]));

it("knows exactly the variables that the worker reads", () => {
  const parsed = parseSettings(ALL);
  expect(parsed).toMatchObject({ ok: true });
  expect(Object.keys(parsed.ok ? parsed.settings : {}).toSorted()).toEqual(NAMES.toSorted());
});

it("calls required exactly what the worker misses, with the URL that a deploy finds out itself", () => {
  const parsed = parseSettings({ QSTASH_URL: "https://qstash.upstash.io" });
  const missing = parsed.ok ? [] : parsed.missing;
  expect([...missingSecrets([], []), "AUDIT_WORKER_URL"].toSorted()).toEqual(missing.toSorted());
});

it.each([
  "AUDIT_INGEST_KEY",
  "AUDIT_ALERT_KEY",
  "AUDIT_ALERT_URL",
  "AUDIT_WORKER_URL",
  "AUDIT_WORKER_URL_PREVIOUS",
  "AUDIT_RATE",
  "AUDIT_PROBE_URL",
  "AUDIT_OPERATOR_EVENTS",
])("refuses a %s that the worker would refuse", (name) => {
  expect(faultOf(name, "wrong")).toMatch(/^must be /);
  expect(parseSettings({ ...ALL, [name]: "wrong" })).toMatchObject({ ok: false, malformed: [name] });
});

it("takes a value as missing where it is empty", () => {
  expect(parseValues("WORKOS_API_KEY=\nQSTASH_TOKEN='a b'")).toEqual({ secrets: { QSTASH_TOKEN: "a b" }, plain: {} });
});

it("is stricter than the worker with the admin token: a short one can be guessed", () => {
  expect(faultOf("AUDIT_ADMIN_TOKEN", "short")).toBe("must be 16 characters or more");
});
