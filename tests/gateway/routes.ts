/** The routes of the test gateway: each situation three times, without audit, with ours, and with the documented policy. */

export type Variant = "plain" | "ours" | "documented";
const VARIANTS: readonly Variant[] = ["plain", "ours", "documented"];

export interface Situation {
  readonly method?: string;
  /** Below the variant's prefix; default the name. */
  readonly path?: string;
  readonly handler?: string;
  readonly forward?: boolean;
  /** Inbound policies before and after the audit policy. */
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  readonly outbound?: readonly string[];
  readonly xAudit?: unknown;
  /** Another audit policy than `audit-log` on the variant `ours`. */
  readonly policy?: string;
  readonly operationId?: string;
}

const SCENARIO_POLICIES = [
  "auth",
  "mustAuth",
  "replace",
  "limited",
  "policyThrows",
  "consume",
  "finalHookThrows",
  "sendingHookRewrites",
  "sendingHookThrows",
] as const;

/** The text of `config/routes.oas.json`. */
export function routesFile(situations: Readonly<Record<string, Situation>>): string {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, situation] of Object.entries(situations)) {
    for (const variant of VARIANTS) {
      const path = `/${variant}${situation.path ?? `/${name}`}`;
      const method = (situation.method ?? "get").toLowerCase();
      (paths[path] ??= {})[method] = operation(name, variant, situation);
    }
  }
  return JSON.stringify({ openapi: "3.1.0", info: { title: "Tests", version: "1.0.0" }, paths });
}

function operation(name: string, variant: Variant, situation: Situation): unknown {
  const audit = { plain: [], ours: [situation.policy ?? "audit-log"], documented: ["documented"] }[variant];
  const module = situation.forward ? "$import(@zuplo/runtime)" : "$import(./modules/scenarios)";
  const options = situation.forward ? { options: { baseUrl: "${env.SINK_URL}/origin" } } : {};
  return {
    operationId: `${variant}-${situation.operationId ?? name}`,
    ...(situation.xAudit === undefined ? {} : { "x-audit": situation.xAudit }),
    "x-zuplo-route": {
      corsPolicy: "none",
      handler: { module, export: situation.forward ? "urlForwardHandler" : (situation.handler ?? "echo"), ...options },
      policies: {
        inbound: [...(situation.before ?? []).map(kebab), ...audit, ...(situation.after ?? []).map(kebab)],
        outbound: (situation.outbound ?? []).map(kebab),
      },
    },
  };
}

export const VARIABLE_OPTIONS = {
  qstashUrl: "$env(QSTASH_URL)",
  qstashToken: "$env(QSTASH_TOKEN)",
  workerUrl: "$env(AUDIT_WORKER_URL)",
  ingestKey: "$env(AUDIT_INGEST_KEY)",
  organizationId: "$env(AUDIT_ORGANIZATION_ID)",
};

/** The text of `config/policies.json`: ours with the given options, further entries of ours, and the situations' policies. */
export function policiesFile(
  options: Readonly<Record<string, unknown>> = {},
  more: Readonly<
    Record<string, { readonly options?: unknown; readonly module?: string; readonly export?: string }>
  > = {},
): string {
  const policies = [
    entry("audit-log", "audit-log", "auditLog", { ...VARIABLE_OPTIONS, ...options }),
    ...Object.entries(more).map(([name, one]) =>
      entry(
        name,
        one.module ?? "audit-log",
        one.export ?? "auditLog",
        one.options ?? { ...VARIABLE_OPTIONS, ...options },
      ),
    ),
    entry("documented", "documented", "auditLogPlugin"),
    ...SCENARIO_POLICIES.map((name) => entry(name, "scenarios", name)),
    entry("outboundThrows", "scenarios", "outboundThrows", {}, "custom-code-outbound"),
  ];
  return JSON.stringify({ policies });
}

function entry(
  name: string,
  module: string,
  exported: string,
  options: unknown = {},
  policyType = "custom-code-inbound",
) {
  return {
    name: kebab(name),
    policyType,
    handler: { module: `$import(./modules/${module})`, export: exported, options },
  };
}

/** Zuplo takes no capitals in a policy's name. */
function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
