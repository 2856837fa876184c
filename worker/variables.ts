/** The worker's variables, parsed once at the boundary. `docs/configuration.md` is generated from the comments here. */
import * as z from "zod/mini";
import { parseTokens, ROLES, SECRET_MIN_LENGTH, type TokenEntry } from "../shared/access-tokens.ts";
import { baseUrl, isSecureUrl } from "../shared/base-url.ts";
import { OBJECT_MAX_BYTES } from "../shared/limits.ts";
import { wholeNumber } from "./whole-number.ts";

/** Characters that a header can carry. A value piped into `wrangler secret put` ends in a line break. */
const secret = z.string().check(z.trim(), z.regex(/^[\x21-\x7e]+$/));
export const address = (shape: RegExp) =>
  z.string().check(
    z.trim(),
    z.refine((text) => shape.test(text) && URL.canParse(text)),
  );
/** The URL of a service that receives a secret: `https`, or `http` on this machine. */
export const secretAddress = (shape: RegExp) => address(shape).check(z.refine(isSecureUrl));
/** A base URL of such a service, normalized: paths are appended to it. */
const url = z.pipe(
  z.string().check(z.refine((text) => baseUrl(text) !== undefined && isSecureUrl(text))),
  z.transform((text: string) => baseUrl(text) ?? text),
);
/** Several of them, separated by commas. */
const urls = z.pipe(
  z.string().check(z.refine((text) => text.split(",").every((part) => url.safeParse(part).success))),
  z.transform((text: string): readonly string[] => text.split(",").map((part) => url.parse(part))),
);
export const webhookKey = z.string().check(z.trim(), z.regex(/^whsec_[A-Za-z0-9+/]+=*$/), z.refine(isLongKey));

/** `wrangler.toml` can hold a list; a secret is a string. */
const tokens = z.pipe(
  z.transform((given: unknown) => parseTokens(typeof given === "string" ? given : JSON.stringify(given))),
  z.custom<readonly TokenEntry[]>(Array.isArray),
);

/** A whole number in decimal digits. `wrangler.toml` can hold a number; everything else is a string. */
const whole = (otherwise: number, least: number, most: number) =>
  z.pipe(
    z.transform((given: unknown) => {
      if (given === undefined) return otherwise;
      return typeof given === "string" && /^\d+$/.test(given.trim()) ? Number(given) : given;
    }),
    wholeNumber.check(z.minimum(least), z.maximum(most)),
  );

/** The value, or a default; `z._default` alone does the same with ten times the code. */
function or<T extends string>(schema: z.ZodMiniType<T, string>, value: T) {
  return z.pipe(
    z.transform((given: unknown) => (given ?? value) as string),
    schema,
  );
}

/** Events a second: below what WorkOS allows one API key, 6,000 a minute. https://workos.com/docs/reference/rate-limits */
const DEFAULT_RATE = 80;

export const Variables = z.object({
  /** API key of the WorkOS environment (`sk_…`). It never leaves the worker. */
  WORKOS_API_KEY: secret,
  /** Where WorkOS's API is. */
  WORKOS_BASE_URL: or(url, "https://api.workos.com"),
  /** QStash's base URL, of the region that holds your account. */
  QSTASH_URL: url,
  /** QStash's token. The worker publishes spilled messages and replays, pauses, and reads QStash's dead-letter queue with it. */
  QSTASH_TOKEN: secret,
  /** Signs deliveries. */
  QSTASH_CURRENT_SIGNING_KEY: secret,
  /** Signs deliveries after the keys are rolled. */
  QSTASH_NEXT_SIGNING_KEY: secret,
  /** The current key of a second QStash region. */
  QSTASH_CURRENT_SIGNING_KEY_2: z.optional(secret),
  /** The next key of a second QStash region. */
  QSTASH_NEXT_SIGNING_KEY_2: z.optional(secret),
  /** QStash's flow-control key, which paces and pauses deliveries; the same as the policy's option `flowControlKey`. */
  AUDIT_FLOW_CONTROL_KEY: or(secret, "workos"),
  /** The worker's own URL, as QStash signs it; a trailing slash does not matter. */
  AUDIT_WORKER_URL: url,
  /** A former URL of the worker, or several separated by commas. Messages published to one of them are still delivered. */
  AUDIT_WORKER_URL_PREVIOUS: z.optional(urls),
  /**
   * Where the Durable Objects keep their data: `eu` or `fedramp`. Choose it before the first deploy; the worker refuses a later
   * change.
   */
  AUDIT_JURISDICTION: z.optional(z.enum(["eu", "fedramp"])),
  /** Events a second to WorkOS, 1 to 100. */
  AUDIT_RATE: whole(DEFAULT_RATE, 1, 100),
  /**
   * Size in bytes at which a Durable Object counts as full. Cloudflare's limit is the default; lower it only to test what happens
   * then.
   */
  AUDIT_OBJECT_MAX_BYTES: whole(OBJECT_MAX_BYTES, 100_000, OBJECT_MAX_BYTES),
  /** An audited GET route of the gateway. Every five minutes the worker calls it and expects its record. */
  AUDIT_PROBE_URL: z.optional(secretAddress(/^https?:\/\/\S+$/i)),
  /** Signs what the policy spills to `/ingest` (Standard Webhooks, `whsec_…`, at least 24 bytes); the same on both sides. */
  AUDIT_INGEST_KEY: webhookKey,
  /** The ingest key before a rotation; messages signed with it are still accepted. */
  AUDIT_INGEST_KEY_PREVIOUS: z.optional(webhookKey),
  /** The operator's token with the role `admin` and the name `admin`; at least 24 characters. */
  AUDIT_ADMIN_TOKEN: secret.check(z.minLength(SECRET_MIN_LENGTH)),
  /**
   * Further operators: a JSON list of `{"name", "role", "sha256", "expires"?}`, or base64url of it. `audit-forwarder tokens create`
   * makes an entry.
   */
  AUDIT_TOKENS: z.optional(tokens),
  /** The name of the environment, such as `production`: the console shows it. 1 to 40 characters. */
  AUDIT_ENVIRONMENT: z.optional(z.string().check(z.trim(), z.regex(/^[^\p{C}]{1,40}$/u))),
  /** Cloudflare Access as another way to the admin routes: the team's domain (`team.cloudflareaccess.com`), with the audience below. */
  AUDIT_ACCESS_TEAM_DOMAIN: z.optional(z.string().check(z.regex(/^[a-z0-9.-]+$/))),
  /** The audience tag (AUD) of the Access application in front of the worker. */
  AUDIT_ACCESS_AUDIENCE: z.optional(secret),
  /** What people who come through Cloudflare Access may do: `read`, `operate` or `admin`. */
  AUDIT_ACCESS_ROLE: or(z.enum(ROLES), "operate"),
  /** `off`: operators' actions (replay, discard, pause, resume) are not sent as audit events. */
  AUDIT_OPERATOR_EVENTS: or(z.enum(["on", "off"]), "on"),
  /** WorkOS organization of the events about operators; without it, there are none. */
  AUDIT_ORGANIZATION_ID: z.optional(secret),
  /** Where alerts are posted; `https`. */
  AUDIT_ALERT_URL: z.optional(secretAddress(/^https?:\/\/\S+$/i)),
  /** Signs alerts (Standard Webhooks, `whsec_…`). */
  AUDIT_ALERT_KEY: z.optional(webhookKey),
});

/** The parsed variables; base URLs have no trailing slash. */
export type Settings = z.infer<typeof Variables>;

export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  /** Names of the variables that are missing or malformed, never their values. */
  | { readonly ok: false; readonly missing: readonly string[]; readonly malformed: readonly string[] };

const results = new WeakMap<object, SettingsResult>();

/** Parses the variables once per environment, and names each one that is missing or malformed. An empty value counts as missing. */
export function parseSettings(env: Readonly<Record<string, unknown>>): SettingsResult {
  const known = results.get(env) ?? parse(env);
  results.set(env, known);
  return known;
}

function parse(env: Readonly<Record<string, unknown>>): SettingsResult {
  const given = Object.fromEntries(
    Object.keys(Variables.shape).map((name) => [name, env[name] === "" ? undefined : env[name]]),
  );
  const parsed = Variables.safeParse(given);
  if (parsed.success) return { ok: true, settings: parsed.data };
  const names = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))];
  return {
    ok: false,
    missing: names.filter((name) => given[name] === undefined),
    malformed: names.filter((name) => given[name] !== undefined),
  };
}

/** Also false if the padding is wrong, which the pattern does not check. */
function isLongKey(key: string): boolean {
  try {
    return atob(key.slice("whsec_".length)).length >= SECRET_MIN_LENGTH;
  } catch {
    return false;
  }
}
