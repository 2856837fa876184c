/** The worker's variables and bindings, parsed once at the boundary. */
import * as z from "zod";
import type { Archive } from "./archive/archive.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { Monitor } from "./monitor/monitor.ts";
import type { Outbox } from "./outbox/outbox.ts";

export interface Env {
  readonly LEDGER: DurableObjectNamespace<Ledger>;
  readonly OUTBOX: DurableObjectNamespace<Outbox>;
  readonly ARCHIVE: DurableObjectNamespace<Archive>;
  readonly MONITOR: DurableObjectNamespace<Monitor>;
  /** Optional directory of organizations and names. */
  readonly DIRECTORY?: KVNamespace;
  readonly [variable: string]: unknown;
}

const secret = z.string().min(1);
const url = z.url({ protocol: /^https?$/ }).transform((text) => text.replace(/\/+$/, ""));
const webhookKey = z.string().regex(/^whsec_[A-Za-z0-9+/]+=*$/);

const Variables = z.object({
  WORKOS_API_KEY: secret,
  WORKOS_BASE_URL: url.default("https://api.workos.com"),
  QSTASH_URL: url,
  QSTASH_TOKEN: secret,
  QSTASH_CURRENT_SIGNING_KEY: secret,
  QSTASH_NEXT_SIGNING_KEY: secret,
  QSTASH_CURRENT_SIGNING_KEY_2: secret.optional(),
  QSTASH_NEXT_SIGNING_KEY_2: secret.optional(),
  AUDIT_FLOW_CONTROL_KEY: secret.default("workos"),
  AUDIT_WORKER_URL: url,
  AUDIT_INGEST_KEY: webhookKey,
  AUDIT_ADMIN_TOKEN: z.string().min(16),
  AUDIT_ALERT_URL: url.optional(),
  AUDIT_ALERT_KEY: webhookKey.optional(),
});

/** The variables after parsing; URLs carry no trailing slash. */
export type Settings = z.infer<typeof Variables>;

export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  /** Names of the variables that are missing or malformed, never their values. */
  | { readonly ok: false; readonly missing: readonly string[]; readonly malformed: readonly string[] };

/** Parses the variables; names each one that is missing or malformed. An empty value counts as missing. */
export function parseSettings(env: Readonly<Record<string, unknown>>): SettingsResult {
  const given = Object.fromEntries(Object.keys(Variables.shape).map((name) => [name, env[name] || undefined]));
  const parsed = Variables.safeParse(given);
  if (parsed.success) return { ok: true, settings: parsed.data };
  const names = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))];
  return {
    ok: false,
    missing: names.filter((name) => given[name] === undefined),
    malformed: names.filter((name) => given[name] !== undefined),
  };
}
