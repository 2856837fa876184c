/** The policy's options: one table of rules, from which the settings are read and the reference is generated. */
import type { Assurance } from "../shared/record.ts";
import { objectOf } from "./selector.ts";

export type Rule =
  | { readonly type: "integer"; readonly default: number; readonly min: number; readonly max: number }
  | { readonly type: "enum"; readonly default: Assurance; readonly values: readonly Assurance[] }
  | { readonly type: "text"; readonly default?: string; readonly variable?: string; readonly required?: true }
  | { readonly type: "url"; readonly variable: string; readonly required: true }
  | { readonly type: "webhook_key"; readonly variable: string; readonly required: true }
  | { readonly type: "texts"; readonly default: readonly string[]; readonly values?: readonly string[] }
  | { readonly type: "object" };

export const ASSURANCES: readonly Assurance[] = ["best-effort", "durable", "required"];

/** Fields that `omit` can leave out of every record. */
const OMITTABLE = [
  "ip",
  "userAgent",
  "geo",
  "requestId",
  "traceparent",
  "name",
  "role",
  "credential",
  "acting_party",
  "client_id",
] as const;
export type Omittable = (typeof OMITTABLE)[number];

const whole = (value: number, min: number, max: number) => ({ type: "integer", default: value, min, max }) as const;
const list = { type: "texts", default: [] as readonly string[] } as const;

export const OPTION_RULES = {
  assurance: { type: "enum", default: "best-effort", values: ASSURANCES },
  budgetMs: whole(500, 10, 10_000),
  watchdogMs: whole(20_000, 100, 25_000),
  coalesceMs: whole(50, 0, 5_000),
  maxRecords: whole(20, 1, 100),
  timeoutMs: whole(3_000, 100, 5_000),
  holdMs: whole(15_000, 0, 15_000),
  bodyLimitBytes: whole(100_000, 0, 262_144),
  defaults: { type: "object" },
  pseudonymize: list,
  pseudonymKeys: { type: "text", variable: "AUDIT_PSEUDONYM_KEYS" },
  redact: list,
  omit: { ...list, values: OMITTABLE },
  qstashUrl: { type: "url", variable: "QSTASH_URL", required: true },
  qstashToken: { type: "text", variable: "QSTASH_TOKEN", required: true },
  workerUrl: { type: "url", variable: "AUDIT_WORKER_URL", required: true },
  ingestKey: { type: "webhook_key", variable: "AUDIT_INGEST_KEY", required: true },
  organizationId: { type: "text", variable: "AUDIT_ORGANIZATION_ID" },
  flowControlKey: { type: "text", default: "workos" },
  rate: whole(600, 1, 1_000),
  retries: whole(3, 3, 8),
} satisfies Readonly<Record<string, Rule>>;

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

/** Every option after checking. A wrong or missing option has its default, or is undefined if it has none. */
export type Options = { readonly [N in OptionName]: ValueOf<(typeof OPTION_RULES)[N]> };

interface CheckedOptions {
  readonly options: Options;
  /** One line per fault: its code, the option in quotes, the fix. Never a value. */
  readonly problems: readonly string[];
}

/** Checks the options of the policy's entry. Codes: `invalid_option`, `missing_variable`, `invalid_variable`. */
export function checkOptions(given: unknown): CheckedOptions {
  const values = objectOf(given);
  const problems: string[] = [];
  const options = Object.entries<Rule>(OPTION_RULES).map(([name, rule]) => {
    const { value, problem } = checkOption(name, rule, values[name]);
    if (problem !== undefined) problems.push(problem);
    return [name, value] as const;
  });
  for (const name of Object.keys(values)) {
    if (!Object.hasOwn(OPTION_RULES, name)) problems.push(`invalid_option: "${name}" is not an option`);
  }
  return { options: Object.fromEntries(options) as unknown as Options, problems };
}

function checkOption(name: string, rule: Rule, given: unknown): { readonly value: unknown; readonly problem?: string } {
  const variable = "variable" in rule ? rule.variable : undefined;
  const value = "default" in rule ? rule.default : undefined;
  // An unset variable leaves the key out, or gives an empty string.
  if (given === undefined || given === "") {
    const problem = `missing_variable: "${name}" has no value; set the variable ${variable}`;
    return "required" in rule ? { value, problem } : { value };
  }
  const read = readOption(rule, given);
  if (read !== undefined) return { value: read };
  const used = value === undefined ? "" : `; ${JSON.stringify(value)} is used`;
  return { value, problem: `invalid_${variable ? "variable" : "option"}: "${name}" must be ${expected(rule)}${used}` };
}

/** Returns the converted value, or undefined if it breaks the rule. */
function readOption(rule: Rule, given: unknown): unknown {
  if (rule.type === "integer") {
    // `$env(…)` turns a number into a string.
    const number = typeof given === "string" && given.trim() ? Number(given) : given;
    return Number.isInteger(number) && Number(number) >= rule.min && Number(number) <= rule.max ? number : undefined;
  }
  if (rule.type === "object") return typeof given === "object" && !Array.isArray(given) ? given : undefined;
  const texts: readonly unknown[] = rule.type === "texts" ? (Array.isArray(given) ? given : [""]) : [given];
  const values: readonly string[] | undefined = "values" in rule ? rule.values : undefined;
  const isLegal = (text: unknown) =>
    typeof text === "string" && (PATTERNS[rule.type] ?? ONE_LINE).test(text) && (values?.includes(text) ?? true);
  if (!texts.every(isLegal)) return undefined;
  return rule.type === "url" ? String(given).replace(/\/+$/, "") : given;
}

const ONE_LINE = /^[^\r\n]+$/;
const PATTERNS: Readonly<Record<string, RegExp>> = {
  url: /^https?:\/\/[^\s/]+\S*$/,
  webhook_key: /^whsec_[\w+/]+={0,2}$/,
};

/** Describes what a rule accepts, as a phrase for messages and for the reference. */
export function expected(rule: Rule): string {
  if (rule.type === "integer") return `a whole number from ${rule.min} to ${rule.max}`;
  const values = "values" in rule && rule.values ? ` of ${rule.values.join(", ")}` : "";
  return PHRASES[rule.type] + values;
}

const PHRASES = {
  enum: "one",
  text: "one line of text",
  texts: "a list",
  url: "an http or https URL",
  webhook_key: '"whsec_" and base64',
  object: "an object",
};
