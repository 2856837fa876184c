import { describe, expect, it } from "vitest";
import { checkOptions, OPTION_RULES } from "../../policy/options.ts";
import { OPTIONS_REFERENCE } from "../../policy/options-reference.ts";
import { OPTIONS } from "./support/gateway.ts";

describe("checkOptions", () => {
  it("takes what `init` writes, and fills in the defaults", () => {
    const { options, problems } = checkOptions(OPTIONS);
    expect(problems).toEqual([]);
    expect(options).toMatchObject({
      assurance: "best-effort",
      budgetMs: 500,
      watchdogMs: 20_000,
      coalesceMs: 50,
      maxRecords: 20,
      flowControlKey: "workos",
      rate: 600,
      retries: 3,
    });
  });

  it("takes an URL without its trailing slash, and a number that `$env` made a text", () => {
    const { options, problems } = checkOptions({ ...OPTIONS, workerUrl: "https://w.test/a//", budgetMs: "250" });
    expect(problems).toEqual([]);
    expect(options).toMatchObject({ workerUrl: "https://w.test/a", budgetMs: 250 });
  });

  it.each([
    [
      "assurance",
      "certain",
      'invalid_option: "assurance" must be one of best-effort, durable, required; "best-effort" is used',
    ],
    ["budgetMs", 5, 'invalid_option: "budgetMs" must be a whole number from 10 to 10000; 500 is used'],
    ["budgetMs", "soon", 'invalid_option: "budgetMs" must be a whole number from 10 to 10000; 500 is used'],
    ["watchdogMs", 30_000, 'invalid_option: "watchdogMs" must be a whole number from 100 to 25000; 20000 is used'],
    ["coalesceMs", 1.5, 'invalid_option: "coalesceMs" must be a whole number from 0 to 5000; 50 is used'],
    ["coalesceMs", " ", 'invalid_option: "coalesceMs" must be a whole number from 0 to 5000; 50 is used'],
    ["maxRecords", 101, 'invalid_option: "maxRecords" must be a whole number from 1 to 100; 20 is used'],
    ["maxRecords", null, 'invalid_option: "maxRecords" must be a whole number from 1 to 100; 20 is used'],
    ["retries", 2, 'invalid_option: "retries" must be a whole number from 3 to 8; 3 is used'],
    ["rate", Number.NaN, 'invalid_option: "rate" must be a whole number from 1 to 1000; 600 is used'],
    ["flowControlKey", "a\nb", 'invalid_option: "flowControlKey" must be one line of text; "workos" is used'],
    ["defaults", [], 'invalid_option: "defaults" must be an object'],
    ["pseudonymize", "ip", 'invalid_option: "pseudonymize" must be a list; [] is used'],
    ["redact", [1], 'invalid_option: "redact" must be a list; [] is used'],
    [
      "omit",
      ["body"],
      'invalid_option: "omit" must be a list of ip, userAgent, geo, requestId, traceparent, name, role, credential, acting_party, client_id; [] is used',
    ],
    ["qstashUrl", "qstash.upstash.io", 'invalid_variable: "qstashUrl" must be an http or https URL'],
    ["qstashUrl", undefined, 'missing_variable: "qstashUrl" has no value; set the variable QSTASH_URL'],
    ["qstashToken", "", 'missing_variable: "qstashToken" has no value; set the variable QSTASH_TOKEN'],
    ["qstashToken", "secret\r\nx: y", 'invalid_variable: "qstashToken" must be one line of text'],
    ["workerUrl", "ftp://secret", 'invalid_variable: "workerUrl" must be an http or https URL'],
    ["ingestKey", "secret", 'invalid_variable: "ingestKey" must be "whsec_" and base64'],
    ["maxrecords", 5, 'invalid_option: "maxrecords" is not an option'],
  ])("names a wrong %s (%j), its fix and what is used, never its value", (name, value, line) => {
    const { problems } = checkOptions({ ...OPTIONS, [name]: value });
    expect(problems).toEqual([line]);
    expect(line).not.toContain("secret");
  });

  it.each([undefined, null, "text", 3])("names every variable where the options are %j", (given) => {
    expect(checkOptions(given).problems.map((line) => /variable (\w+)/.exec(line)?.[1])).toEqual([
      "QSTASH_URL",
      "QSTASH_TOKEN",
      "AUDIT_WORKER_URL",
      "AUDIT_INGEST_KEY",
    ]);
  });

  it("needs no organization: a route may name its own", () => {
    expect(checkOptions({ ...OPTIONS, organizationId: undefined }).problems).toEqual([]);
  });
});

describe("the reference", () => {
  it("describes every option, with an example that is legal", () => {
    expect(OPTIONS_REFERENCE.map(({ name }) => name)).toEqual(Object.keys(OPTION_RULES));
    for (const { name, description, example } of OPTIONS_REFERENCE) {
      expect(description.length).toBeGreaterThan(10);
      // What a variable holds is the user's.
      const given =
        typeof example === "string" && example.startsWith("$env(") ? OPTIONS : { ...OPTIONS, [name]: example };
      expect(checkOptions(given).problems).toEqual([]);
    }
  });
});
