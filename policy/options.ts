/** The policy's options: one table of rules, from which the settings are read and the reference is generated. */
import type { Assurance } from "../shared/record.ts";

export type Rule =
  | { readonly type: "integer"; readonly default: number; readonly min: number; readonly max: number }
  | { readonly type: "enum"; readonly default: Assurance; readonly values: readonly Assurance[] }
  | { readonly type: "text"; readonly default?: string; readonly variable?: string; readonly required?: true }
  | { readonly type: "url"; readonly variable: string; readonly required: true }
  | { readonly type: "webhook_key"; readonly variable: string; readonly required: true }
  | { readonly type: "texts"; readonly default: readonly string[]; readonly values?: readonly string[] }
  | { readonly type: "object" };

export const ASSURANCES: readonly Assurance[] = ["best-effort", "durable", "required"];

/** What `omit` can leave out of every record. */
export const OMITTABLE = ["ip", "userAgent", "geo", "requestId", "traceparent", "name", "role", "credential"] as const;
export type Omittable = (typeof OMITTABLE)[number];

export const OPTION_RULES = {
  assurance: { type: "enum", default: "best-effort", values: ASSURANCES },
  budgetMs: { type: "integer", default: 500, min: 10, max: 10_000 },
  watchdogMs: { type: "integer", default: 20_000, min: 100, max: 25_000 },
  coalesceMs: { type: "integer", default: 50, min: 0, max: 5_000 },
  maxRecords: { type: "integer", default: 20, min: 1, max: 100 },
  timeoutMs: { type: "integer", default: 3_000, min: 100, max: 5_000 },
  holdMs: { type: "integer", default: 15_000, min: 0, max: 15_000 },
  bodyLimitBytes: { type: "integer", default: 16_384, min: 0, max: 262_144 },
  defaults: { type: "object" },
  pseudonymize: { type: "texts", default: [] },
  pseudonymKeys: { type: "text", variable: "AUDIT_PSEUDONYM_KEYS" },
  redact: { type: "texts", default: [] },
  omit: { type: "texts", default: [], values: OMITTABLE },
  qstashUrl: { type: "url", variable: "QSTASH_URL", required: true },
  qstashToken: { type: "text", variable: "QSTASH_TOKEN", required: true },
  workerUrl: { type: "url", variable: "AUDIT_WORKER_URL", required: true },
  ingestKey: { type: "webhook_key", variable: "AUDIT_INGEST_KEY", required: true },
  organizationId: { type: "text", variable: "AUDIT_ORGANIZATION_ID" },
  flowControlKey: { type: "text", default: "workos" },
  rate: { type: "integer", default: 80, min: 1, max: 1_000 },
  retries: { type: "integer", default: 3, min: 3, max: 8 },
} as const satisfies Readonly<Record<string, Rule>>;

export type OptionName = keyof typeof OPTION_RULES;

type ValueOf<R extends Rule> = R extends { type: "integer" }
  ? number
  : R extends { type: "enum" }
    ? Assurance
    : R extends { type: "texts" }
      ? readonly string[]
      : R extends { type: "object" }
        ? Readonly<Record<string, unknown>> | undefined
        : R extends { default: string }
          ? string
          : string | undefined;

/** Every option after checking: a wrong or missing one has its default, or is undefined where it has none. */
export type Options = { readonly [N in OptionName]: ValueOf<(typeof OPTION_RULES)[N]> };

export interface CheckedOptions {
  readonly options: Options;
  /** One line for each fault: its code, the option in quotes, the fix. Never a value. */
  readonly problems: readonly string[];
}

/** Checks the options of the policy's entry. Codes: `invalid_option`, `missing_variable`, `invalid_variable`. */
export function checkOptions(given: unknown): CheckedOptions {
  const values = typeof given === "object" && given !== null ? (given as Readonly<Record<string, unknown>>) : {};
  const problems: string[] = [];
  const options = Object.entries<Rule>(OPTION_RULES).map(([name, rule]) => {
    const { value, problem } = checkOption(name, rule, values[name]);
    if (problem !== undefined) problems.push(problem);
    return [name, value] as const;
  });
  for (const name of Object.keys(values)) {
    if (!Object.hasOwn(OPTION_RULES, name)) problems.push(`invalid_option: "${name}" is not an option; remove it`);
  }
  return { options: Object.fromEntries(options) as unknown as Options, problems };
}

interface Checked {
  readonly value: unknown;
  readonly problem?: string;
}

function checkOption(name: string, rule: Rule, given: unknown): Checked {
  const fallback = "default" in rule ? rule.default : undefined;
  // A variable that is not set leaves the key out, or an empty text.
  if (given === undefined || given === null || given === "") {
    if (!("required" in rule)) return { value: fallback };
    const problem = `missing_variable: "${name}" has no value; set the variable ${variableOf(rule)}`;
    return { value: undefined, problem };
  }
  const value = read(rule, given);
  if (value !== undefined) return { value };
  const code = variableOf(rule) === undefined ? "invalid_option" : "invalid_variable";
  const used = fallback === undefined ? "" : `; ${JSON.stringify(fallback)} is used`;
  return { value: fallback, problem: `${code}: "${name}" must be ${expected(rule)}${used}` };
}

function variableOf(rule: Rule): string | undefined {
  return "variable" in rule ? rule.variable : undefined;
}

/** The value in its type, or undefined where it breaks the rule. */
function read(rule: Rule, given: unknown): unknown {
  if (rule.type === "integer") {
    // `$env(…)` makes text of a number.
    const number = typeof given === "string" && /^\d+$/.test(given) ? Number(given) : given;
    return Number.isInteger(number) && Number(number) >= rule.min && Number(number) <= rule.max ? number : undefined;
  }
  if (rule.type === "url") return isHttpUrl(given) ? given.replace(/\/+$/, "") : undefined;
  return isLegal(rule, given) ? given : undefined;
}

function isLegal(rule: Rule, given: unknown): boolean {
  if (rule.type === "enum") return rule.values.some((value) => value === given);
  if (rule.type === "text") return typeof given === "string" && !/[\r\n]/.test(given);
  if (rule.type === "webhook_key") return typeof given === "string" && /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(given);
  if (rule.type === "texts") return Array.isArray(given) && given.every((text) => isListed(rule, text));
  return typeof given === "object" && !Array.isArray(given);
}

function isHttpUrl(given: unknown): given is string {
  return typeof given === "string" && /^https?:\/\//.test(given) && URL.canParse(given);
}

function isListed(rule: { readonly values?: readonly string[] }, text: unknown): boolean {
  return typeof text === "string" && text !== "" && (rule.values?.includes(text) ?? true);
}

/** What a rule wants, as a phrase for messages and for the reference. */
export function expected(rule: Rule): string {
  if (rule.type === "integer") return `a whole number from ${rule.min} to ${rule.max}`;
  const listed = "values" in rule ? rule.values?.join(", ") : undefined;
  if (listed !== undefined) return `${rule.type === "enum" ? "one" : "a list"} of ${listed}`;
  return PHRASES[rule.type] ?? "";
}

const PHRASES: Readonly<Record<string, string>> = {
  text: "a text of one line",
  texts: "a list of texts",
  url: "an http or https URL",
  webhook_key: '"whsec_" and base64',
  object: "an object",
};
