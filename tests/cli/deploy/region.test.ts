import { expect, it } from "vitest";
import { queueRegionFault, queueUrl } from "../../../cli/deploy/region.ts";
import { inRegion } from "../../../cli/init/worker-side.ts";

const US = "https://qstash-us-east-1.upstash.io";
const EU = "https://qstash-eu-central-1.upstash.io";

it.each([
  ["eu", EU],
  ["eu", "https://qstash.upstash.io"],
  ["eu", "https://qstash-eu-central-1.upstas..."],
  ["eu", "http://127.0.0.1:8080"],
  ["fedramp", US],
  [undefined, US],
  ["eu", undefined],
])("lets the jurisdiction %s have its queue at %s", (jurisdiction, url) => {
  expect(queueRegionFault(jurisdiction, url)).toBeUndefined();
});

it.each([
  ["eu", US],
  ["eu", "https://QSTASH-us-east-1.upstas..."],
  ["fedramp", EU],
  ["fedramp", "https://qstash.upstash.io"],
])("refuses for the jurisdiction %s a queue at %s", (jurisdiction, url) => {
  expect(queueRegionFault(jurisdiction, url)).toContain('"QSTASH_URL" is of another region');
});

it("writes the jurisdiction and its queue into each environment of the template", () => {
  const vars = 'QSTASH_URL = "https://qstash.upstash.io"\nAUDIT_FLOW_CONTROL_KEY = "workos"\n';
  const made = inRegion(`[vars]\n${vars}\n[env.staging.vars]\n${vars}`, "fedramp");
  expect(made.match(/^AUDIT_JURISDICTION = "fedramp"$/gm)).toHaveLength(2);
  expect(made.match(/^QSTASH_URL = "https:\/\/qstash-us-east-1\.upstash\.io"$/gm)).toHaveLength(2);
  expect(inRegion(vars, undefined)).toBe(vars);
  expect(queueUrl("eu")).toBe(EU);
});
