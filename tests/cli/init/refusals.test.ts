import { afterEach, describe, expect, test } from "vitest";
import { makeProject, type Project, TWO_ROUTES } from "../support/project.ts";
import { runCli } from "../support/run-cli.ts";

let made: Project | undefined;
afterEach(async () => {
  await made?.remove();
});

const FOREIGN =
  '{"policies":[{"name":"audit-log","policyType":"audit-log-inbound","handler":{"module":"$import(@zuplo/runtime)"}}]}';
const OURS =
  '{"name":"audit-log","policyType":"custom-code-inbound","handler":{"module":"$import(./modules/audit-log)","options":{}}}';
const route = (inner: string) => `{"paths":{"/a":{"get":{"x-zuplo-route":${inner}}}}}`;

describe("init refuses as a whole", () => {
  test.each([
    ["a directory without routes", { "config/policies.json": "{}" }, 2, /not a Zuplo project/],
    ["an empty directory", { "readme.md": "" }, 2, /not a Zuplo project/],
    [
      "policies that are no JSON",
      { "config/policies.json": '{\n "policies": [,\n}' },
      1,
      /"config\/policies\.json" is not valid JSON at line 2:/,
    ],
    ["an empty policies file", { "config/policies.json": "" }, 1, /is not valid JSON at line 1:1/],
    [
      "routes that are no JSON",
      { "config/a.oas.json": '{\n\n"paths": }' },
      1,
      /"config\/a\.oas\.json" is not valid JSON at line 3:/,
    ],
    [
      "the second of two files that is no JSON",
      { "config/b.oas.json": "{" },
      1,
      /"config\/b\.oas\.json" is not valid JSON/,
    ],
    [
      "policies that are no list",
      { "config/policies.json": '{"policies":{}}' },
      1,
      /"policies" in "config\/policies\.json" must be an array/,
    ],
    ["a policies file that is a list", { "config/policies.json": "[]" }, 1, /must hold an object/],
    [
      "another policy of our name",
      { "config/policies.json": FOREIGN },
      1,
      /has another policy named "audit-log" \(type "audit-log-inbound"/,
    ],
    [
      "two policies of our name",
      { "config/policies.json": `{"policies":[${OURS},${OURS}]}` },
      1,
      /has 2 policies named "audit-log"/,
    ],
    ["paths that are no object", { "config/a.oas.json": '{"paths":[]}' }, 1, /"paths" must be an object/],
    [
      "a route that is no object",
      { "config/a.oas.json": route('"x"') },
      1,
      /"x-zuplo-route" of GET \/a must be an object/,
    ],
    [
      "policies of a route that are no object",
      { "config/a.oas.json": route('{"policies":[]}') },
      1,
      /"policies" of GET \/a must be an object/,
    ],
    [
      "inbound that is no list",
      { "config/a.oas.json": route('{"policies":{"inbound":"auth"}}') },
      1,
      /"inbound" of GET \/a must be an array/,
    ],
  ])("%s", async (name, files, exitCode, message) => {
    const isProject = !/without routes|empty directory/.test(name);
    made = await makeProject(isProject ? { "config/a.oas.json": TWO_ROUTES, ...files } : files);
    const before = await made.files();
    for (const flags of [[], ["--check"]]) {
      const { code, stdout, stderr } = await runCli(["init", made.directory, ...flags]);
      expect({ code, stdout }).toEqual({ code: exitCode, stdout: "" });
      expect(stderr).toMatch(message);
      expect(stderr.trim().split("\n")).toHaveLength(1);
    }
    expect(await made.files()).toEqual(before);
  });

  test("a directory that is not there", async () => {
    const { code, stderr } = await runCli(["init", "/nowhere/at/all"]);
    expect(code).toBe(2);
    expect(stderr).toContain('"/nowhere/at/all" is not a directory');
  });
});
