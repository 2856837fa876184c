/** The policy's variables in a Zuplo project's `.env`. Existing lines stay; values are never shown. */

import { parseEnv } from "node:util";

/** What `init` writes for a missing variable. */
const POLICY_VARIABLES = {
  QSTASH_URL: "https://qstash.upstash.io",
  QSTASH_TOKEN: "",
  AUDIT_WORKER_URL: "",
  AUDIT_INGEST_KEY: "",
  AUDIT_ORGANIZATION_ID: "",
} as const;

type PolicyVariable = keyof typeof POLICY_VARIABLES;
export const POLICY_VARIABLE_NAMES = Object.keys(POLICY_VARIABLES) as readonly PolicyVariable[];

/** A default organization is optional; without one, each route must name its own. */
const OPTIONAL: ReadonlySet<PolicyVariable> = new Set(["AUDIT_ORGANIZATION_ID"]);

interface VariableState {
  readonly absent: readonly PolicyVariable[];
  /** Present without a value, and needed. */
  readonly empty: readonly PolicyVariable[];
}

/** Name and value of each line, without quotes, comments and a byte order mark. */
export function readValues(text: string | undefined): ReadonlyMap<string, string> {
  return new Map(Object.entries(parseEnv((text ?? "").replace(/^\uFEFF/, "")) as Record<string, string>));
}

export function readVariables(text: string | undefined): VariableState {
  const values = readValues(text);
  return {
    absent: POLICY_VARIABLE_NAMES.filter((name) => !values.has(name)),
    empty: POLICY_VARIABLE_NAMES.filter((name) => values.get(name) === "" && !OPTIONAL.has(name)),
  };
}

/** The text with the missing variables added at its end. */
export function addVariables(text: string | undefined): string {
  const { absent } = readVariables(text);
  if (absent.length === 0) return text ?? "";
  const eol = text?.includes("\r\n") ? "\r\n" : "\n";
  const before = text === undefined || text === "" || text.endsWith("\n") ? (text ?? "") : text + eol;
  return before + absent.map((name) => `${name}=${POLICY_VARIABLES[name]}${eol}`).join("");
}
