/** The variables a deploy may set, and the format of each value. A test compares them with the worker's own table. */
import { parseEnv } from "node:util";
import { parseTokens, ROLES, SECRET_MIN_LENGTH } from "../../shared/access-tokens.ts";
import { baseUrl, isSecureUrl } from "../../shared/base-url.ts";
import { OBJECT_MAX_BYTES } from "../../shared/limits.ts";
import { WrongUse } from "../run/failure.ts";
import { isOrigin } from "../../shared/evidence/note.ts";
import { isEvidenceKey } from "../evidence/key.ts";
import { isPlaceholder } from "./placeholder.ts";

interface Rule {
  readonly required: boolean;
  /** What the value must be, in words that fit after "must be". */
  readonly shape: string;
  readonly accepts: (value: string) => boolean;
}

/** The shortest key that Standard Webhooks allows. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const WEBHOOK_KEY_MIN_BYTES = 24;

/** The worker refuses a lower limit. */
const OBJECT_LEAST_BYTES = 100_000;

const text = (shape: string): Rule => ({ required: false, shape, accepts: (value) => /^[\x21-\x7e]+$/.test(value) });
const adminToken: Rule = {
  required: true,
  shape: `${SECRET_MIN_LENGTH} characters or more, without spaces`,
  accepts: (value) => new RegExp(`^[\\x21-\\x7e]{${SECRET_MIN_LENGTH},}$`).test(value),
};
const webhookKey: Rule = {
  required: false,
  shape: `"whsec_" and the base64 of ${WEBHOOK_KEY_MIN_BYTES} bytes or more`,
  accepts: isWebhookKey,
};
const secureUrl: Rule = {
  required: false,
  shape: "an https URL without a user and a password (http only for this machine)",
  accepts: (value) => baseUrl(value) !== undefined && isSecureUrl(value),
};
const whole = (least: number, most: number): Rule => ({
  required: false,
  shape: `a whole number from ${least} to ${most}`,
  accepts: (value) => /^\d+$/.test(value.trim()) && Number(value) >= least && Number(value) <= most,
});
const required = (rule: Rule): Rule => ({ ...rule, required: true });

/** Kept by Cloudflare as secrets: never printed, never on a command line. */
export const SECRETS: Readonly<Record<string, Rule>> = {
  WORKOS_API_KEY: required(text("a WorkOS API key")),
  QSTASH_TOKEN: required(text("a QStash token")),
  QSTASH_CURRENT_SIGNING_KEY: required(text("a QStash signing key")),
  QSTASH_NEXT_SIGNING_KEY: required(text("a QStash signing key")),
  AUDIT_INGEST_KEY: required(webhookKey),
  AUDIT_ADMIN_TOKEN: adminToken,
  AUDIT_TOKENS: {
    required: false,
    shape:
      'a JSON list of {"name", "role", "sha256", "expires"?}, or base64url of it (operations.md, "Give somebody a token")',
    accepts: (value) => parseTokens(value) !== undefined,
  },
  QSTASH_CURRENT_SIGNING_KEY_2: text("a QStash signing key"),
  QSTASH_NEXT_SIGNING_KEY_2: text("a QStash signing key"),
  AUDIT_INGEST_KEY_PREVIOUS: webhookKey,
  AUDIT_ALERT_URL: { ...secureUrl, accepts: isSecureUrl },
  AUDIT_ALERT_KEY: webhookKey,
  // Not secret, but Cloudflare keeps secrets over deploys and drops variables that `wrangler.toml` does not name.
  AUDIT_ORGANIZATION_ID: text("a WorkOS organization id"),
  AUDIT_OPERATOR_EVENTS: {
    required: false,
    shape: '"on" or "off"',
    accepts: (value) => value === "on" || value === "off",
  },
  AUDIT_ACCESS_TEAM_DOMAIN: {
    required: false,
    shape: "a domain such as team.cloudflareaccess.com",
    accepts: (value) => /^[a-z0-9.-]+$/.test(value),
  },
  AUDIT_ACCESS_AUDIENCE: text("an Access audience tag"),
  AUDIT_ACCESS_ROLE: {
    required: false,
    shape: `one of ${ROLES.join(", ")}`,
    accepts: (value) => ROLES.some((role) => role === value),
  },
  AUDIT_ENVIRONMENT: {
    required: false,
    shape: "1 to 40 characters",
    accepts: (value) => /^[^\p{C}]{1,40}$/u.test(value.trim()),
  },
  AUDIT_EVIDENCE_KEY: {
    required: false,
    shape: '"evk_" and the base64url of 32 bytes, as "evidence keygen" makes it',
    accepts: isEvidenceKey,
  },
  AUDIT_EVIDENCE_ORIGIN: { required: false, shape: "a name without spaces and plus signs", accepts: isOrigin },
  AUDIT_EVIDENCE_COPIES: {
    required: false,
    shape: '"true" or "false"',
    accepts: (value) => value === "true" || value === "false",
  },
  // Only a hash is sent to it.
  AUDIT_TSA_URL: {
    required: false,
    shape: "an http or https URL",
    accepts: (value) => /^https?:$/.test(URL.parse(value)?.protocol ?? ""),
  },
  AUDIT_ANCHOR_URL: { ...secureUrl, accepts: isSecureUrl },
  AUDIT_ANCHOR_KEY: webhookKey,
  AUDIT_WORKER_URL: secureUrl,
  AUDIT_WORKER_URL_PREVIOUS: {
    required: false,
    shape: "https URLs, separated by commas",
    accepts: (value) => value.split(",").every((url) => secureUrl.accepts(url.trim())),
  },
  AUDIT_RATE: whole(1, 100),
  AUDIT_OBJECT_MAX_BYTES: whole(OBJECT_LEAST_BYTES, OBJECT_MAX_BYTES),
  AUDIT_PROBE_URL: { ...secureUrl, accepts: isSecureUrl },
};

/** Set in `wrangler.toml`. A secrets file may repeat them, but not with a different value. */
export const PLAIN_VARIABLES: Readonly<Record<string, Rule>> = {
  WORKOS_BASE_URL: secureUrl,
  QSTASH_URL: secureUrl,
  AUDIT_FLOW_CONTROL_KEY: text("a flow-control key"),
  AUDIT_JURISDICTION: {
    required: false,
    shape: '"eu" or "fedramp"',
    accepts: (value) => value === "eu" || value === "fedramp",
  },
};

/** Variables that only the gateway reads; one file may hold the values of both sides. */
const GATEWAY_ONLY = new Set(["AUDIT_PSEUDONYM_KEYS"]);

/** The values of a deploy, grouped by destination. */
export interface Values {
  readonly secrets: Readonly<Record<string, string>>;
  readonly plain: Readonly<Record<string, string>>;
}

/** Parses a `.env` text; throws WrongUse naming each variable that is unknown or malformed, never its value. */
export function parseValues(source: string): Values {
  const given = new Map(Object.entries(parseEnv(source)).filter((entry): entry is [string, string] => !!entry[1]));
  const faults = [...given].flatMap(([name, value]) => {
    const fault = faultOf(name, value);
    return fault === undefined ? [] : [`"${name}" ${fault}`];
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

/** Describes the fault of a value in words that fit after the variable's name; undefined if it is valid. Never the value itself. */
export function faultOf(name: string, value: string): string | undefined {
  const rule = SECRETS[name] ?? PLAIN_VARIABLES[name];
  if (!rule) return GATEWAY_ONLY.has(name) ? undefined : "is not a variable of the worker";
  if (isPlaceholder(value)) return "is still a placeholder; put the real value there";
  return rule.accepts(value) ? undefined : `must be ${rule.shape}`;
}

/** Returns true if two values mean the same: compares URLs after normalization, anything else as strings. */
export function sameValue(one: string, other: string): boolean {
  const url = baseUrl(one);
  return one === other || (url !== undefined && url === baseUrl(other));
}

function isWebhookKey(value: string): boolean {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(value)?.[1];
  if (base64 === undefined || (base64.length % 4 !== 0 && base64.includes("="))) return false;
  return Buffer.from(base64, "base64").byteLength >= WEBHOOK_KEY_MIN_BYTES;
}
