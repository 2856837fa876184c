/** The names a deploy may set, and what a value of each must look like. A test compares them with the worker's own table. */
import { parseEnv } from "node:util";
import { WrongUse } from "../run/failure.ts";

interface Rule {
  readonly required: boolean;
  /** What the value must be, in words that fit after "must be". */
  readonly shape: string;
  readonly pattern: RegExp;
}

const text = /\S/;
const url = /^https?:\/\/[^\s/]+/;
const urls = /^https?:\/\/[^\s/,]+[^\s,]*(?:\s*,\s*https?:\/\/[^\s/,]+[^\s,]*)*$/;
const webhookKey = /^whsec_[A-Za-z0-9+/]+=*$/;

/** Kept by Cloudflare as secrets: never printed, never on a command line. */
export const SECRETS: Readonly<Record<string, Rule>> = {
  WORKOS_API_KEY: { required: true, shape: "a WorkOS API key", pattern: text },
  QSTASH_TOKEN: { required: true, shape: "a QStash token", pattern: text },
  QSTASH_CURRENT_SIGNING_KEY: { required: true, shape: "a QStash signing key", pattern: text },
  QSTASH_NEXT_SIGNING_KEY: { required: true, shape: "a QStash signing key", pattern: text },
  AUDIT_INGEST_KEY: { required: true, shape: '"whsec_" and base64', pattern: webhookKey },
  AUDIT_ADMIN_TOKEN: { required: true, shape: "16 characters or more", pattern: /^.{16,}$/ },
  QSTASH_CURRENT_SIGNING_KEY_2: { required: false, shape: "a QStash signing key", pattern: text },
  QSTASH_NEXT_SIGNING_KEY_2: { required: false, shape: "a QStash signing key", pattern: text },
  AUDIT_INGEST_KEY_PREVIOUS: { required: false, shape: '"whsec_" and base64', pattern: webhookKey },
  AUDIT_ALERT_URL: { required: false, shape: "an http or https URL", pattern: url },
  AUDIT_ALERT_KEY: { required: false, shape: '"whsec_" and base64', pattern: webhookKey },
  // Not secret, but Cloudflare keeps secrets over deploys and drops variables that `wrangler.toml` does not name.
  AUDIT_ORGANIZATION_ID: { required: false, shape: "a WorkOS organization id", pattern: text },
  AUDIT_OPERATOR_EVENTS: { required: false, shape: '"on" or "off"', pattern: /^(?:on|off)$/ },
  AUDIT_ACCESS_TEAM_DOMAIN: {
    required: false,
    shape: "a domain such as team.cloudflareaccess.com",
    pattern: /^[a-z0-9.-]+$/,
  },
  AUDIT_ACCESS_AUDIENCE: { required: false, shape: "an Access audience tag", pattern: text },
  AUDIT_WORKER_URL: { required: false, shape: "an http or https URL", pattern: url },
  AUDIT_WORKER_URL_PREVIOUS: { required: false, shape: "http or https URLs, separated by commas", pattern: urls },
  AUDIT_RATE: { required: false, shape: "a whole number from 1 to 100", pattern: /^(?:[1-9]\d?|100)$/ },
  AUDIT_PROBE_URL: { required: false, shape: "an http or https URL", pattern: url },
};

/** Stand in `wrangler.toml`; a file may repeat them, but not differ. */
export const PLAIN_VARIABLES: Readonly<Record<string, Rule>> = {
  WORKOS_BASE_URL: { required: false, shape: "an http or https URL", pattern: url },
  QSTASH_URL: { required: false, shape: "an http or https URL", pattern: url },
  AUDIT_FLOW_CONTROL_KEY: { required: false, shape: "a flow-control key", pattern: text },
};

/** Names that only the gateway reads; one file may hold both sides' values. */
const GATEWAY_ONLY = new Set(["AUDIT_PSEUDONYM_KEYS"]);

/** The values of a deploy, sorted by where they go. */
export interface Values {
  readonly secrets: Readonly<Record<string, string>>;
  readonly plain: Readonly<Record<string, string>>;
}

/** Reads a `.env` text; throws WrongUse naming each variable that is unknown or malformed, never its value. */
export function parseValues(source: string): Values {
  const given = new Map(Object.entries(parseEnv(source)).filter((entry): entry is [string, string] => !!entry[1]));
  const rules = { ...SECRETS, ...PLAIN_VARIABLES };
  const faults = [...given].flatMap(([name, value]) => {
    const rule = rules[name];
    if (rule) return rule.pattern.test(value) ? [] : [`"${name}" must be ${rule.shape}`];
    return GATEWAY_ONLY.has(name) ? [] : [`"${name}" is not a variable of the worker`];
  });
  if (faults.length > 0) throw new WrongUse(`the secrets file is wrong: ${faults.join("; ")}`);
  const pick = (names: object): Record<string, string> =>
    Object.fromEntries(Object.keys(names).flatMap((name) => (given.has(name) ? [[name, given.get(name) ?? ""]] : [])));
  return { secrets: pick(SECRETS), plain: pick(PLAIN_VARIABLES) };
}

/** The required secrets that neither the file nor the worker has. */
export function missingSecrets(given: Iterable<string>, onWorker: Iterable<string>): readonly string[] {
  const known = new Set([...given, ...onWorker]);
  return Object.keys(SECRETS).filter((name) => SECRETS[name]?.required && !known.has(name));
}

/** The fault of one value in words that fit after its name, or undefined. */
export function faultOf(name: string, value: string): string | undefined {
  const rule = SECRETS[name];
  return rule && !rule.pattern.test(value) ? `must be ${rule.shape}` : undefined;
}
