import { describe, expect, it } from "vitest";
import { SELECTORS, X_AUDIT } from "../../docs/generate/policy-options.ts";
import { checkOptions, OPTION_RULES } from "../../policy/options.ts";
import { OPTIONS_REFERENCE } from "../../policy/options-reference.ts";
import { makePlan } from "../../policy/plan.ts";

const { options: OPTIONS } = checkOptions({});

/** What `$env(…)` would give. */
const VARIABLES: Readonly<Record<string, string>> = {
  "$env(AUDIT_INGEST_KEY)": "whsec_YQ==",
  "$env(QSTASH_URL)": "https://qstash.upstash.io",
  "$env(AUDIT_WORKER_URL)": "https://worker.example.com",
};

it("has every option of the policy once", () => {
  expect(OPTIONS_REFERENCE.map(({ name }) => name)).toEqual(Object.keys(OPTION_RULES));
});

it.each(OPTIONS_REFERENCE.map(({ name, example }) => [name, example] as const))(
  "the example of %s is taken as it is",
  (name, example) => {
    const value = VARIABLES[String(example)] ?? example;
    const { options, problems } = checkOptions({ [name]: value });
    expect(problems.filter((problem) => problem.includes(`"${name}"`))).toEqual([]);
    expect(options[name]).toEqual(value);
  },
);

describe("x-audit", () => {
  it("has an example without a fault that uses every kind of value", () => {
    const { problems, base, assurance } = makePlan(X_AUDIT, OPTIONS);
    const { action, organization, actor, targets, metadata } = base;
    expect(problems).toEqual([]);
    expect([action, organization, actor, targets].every((part) => part !== undefined)).toBe(true);
    expect([Object.keys(metadata).length, assurance]).toEqual([2, "durable"]);
  });

  it.each(SELECTORS.map(([selector]) => selector))("may select %s", (selector) => {
    expect(makePlan({ metadata: { field: selector } }, OPTIONS).problems).toEqual([]);
  });

  it.each([
    "$header.authorization",
    "$header.Cookie",
    "$header.x-api-key",
    "$response.header.set-cookie",
    "$user",
    "$nonsense.x",
  ])("may not select %s", (selector) => {
    expect(makePlan({ metadata: { field: selector } }, OPTIONS).problems).toHaveLength(1);
  });
});
