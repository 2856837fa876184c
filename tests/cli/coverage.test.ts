/** Which operations of a project leave events: `coverage`, its file and its check. */
import { cp } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeProject, type Project } from "./support/project.ts";
import { json, runCli } from "./support/run-cli.ts";

const FILE = "audit-coverage.json";
const OURS = { handler: { module: "$import(./modules/audit-log)", export: "auditLog", options: {} } };
const POLICIES = {
  policies: [
    { name: "audit-log", policyType: "custom-code-inbound", ...OURS },
    { name: "audit-strict", policyType: "custom-code-inbound", ...OURS },
    { name: "group", policyType: "composite-inbound", handler: composite("auth", "inner") },
    { name: "inner", policyType: "composite-inbound", handler: composite("audit-strict", "group") },
  ],
};

function composite(...policies: string[]) {
  return { module: "$import(@zuplo/runtime)", export: "CompositeInboundPolicy", options: { policies } };
}

function route(inbound: readonly string[], more: object = {}, handler: object = {}) {
  return { "x-zuplo-route": { handler, policies: { inbound } }, ...more };
}

const PATHS = {
  "/members": {
    post: route(["audit-log"], { operationId: "inviteMember", "x-audit": { action: "member.invited" } }),
    get: route(["auth"], { operationId: "listMembers" }),
  },
  "/health": { get: route([], { operationId: "health", "x-audit": { skip: "no caller" } }) },
  "/members/{id}": {
    delete: route(["group"], { operationId: "removeMember" }),
    "put,patch": route(["audit-log"], {
      "x-audit": { action: { select: "$body.op", map: { a: "x.a", b: "x.b" }, else: "x.c" } },
    }),
  },
  "/mcp": {
    post: route(
      ["audit-log"],
      { operationId: "mcp" },
      {
        module: "$import(@zuplo/runtime)",
        export: "mcpServerHandler",
        options: {
          operations: [
            { file: "./config/a.oas.json", id: "removeMember" },
            { file: "./config/a.oas.json", id: "gone" },
          ],
          files: [{ path: "./config/a.oas.json", operationIds: ["listMembers"] }],
        },
      },
    ),
  },
};

let initialized: Project;
let made: Project;
beforeAll(async () => {
  initialized = await makeProject({ "config/a.oas.json": "{}", "config/policies.json": JSON.stringify(POLICIES) });
  await runCli(["init", initialized.directory, "--routes", "none"]);
});
beforeEach(async () => {
  made = await makeProject({});
  await cp(initialized.directory, made.directory, { recursive: true });
  await setPaths(PATHS);
});
afterEach(() => made.remove());
afterAll(() => initialized.remove());

async function setPaths(paths: object) {
  await made.write("config/a.oas.json", JSON.stringify({ openapi: "3.1.0", paths }));
}

async function coverage(...flags: string[]) {
  const ended = await runCli(["coverage", made.directory, "--json", ...flags]);
  return { code: ended.code, ...json(ended) };
}

test("lists every operation by path and method, with its actions, its reason and its tools", async () => {
  const { code, operations, audited, exempt, unaudited } = await coverage();
  expect({ code, audited, exempt, unaudited }).toEqual({ code: 0, audited: 5, exempt: 1, unaudited: 1 });
  const mcp = ["mcp.method_called", "mcp.prompt_read", "mcp.request_refused", "mcp.resource_read", "mcp.tool_called"];
  const mapped = ["x.a", "x.b", "x.c"];
  expect(operations).toEqual([
    { method: "GET", path: "/health", operation_id: "health", state: "exempt", actions: [], reason: "no caller" },
    {
      method: "POST",
      path: "/mcp",
      operation_id: "mcp",
      state: "audited",
      actions: mcp,
      tools: [
        { operation_id: "removeMember", state: "audited" },
        { operation_id: "gone", state: "unknown" },
        { operation_id: "listMembers", state: "unaudited" },
      ],
    },
    { method: "GET", path: "/members", operation_id: "listMembers", state: "unaudited", actions: [] },
    { method: "POST", path: "/members", operation_id: "inviteMember", state: "audited", actions: ["member.invited"] },
    {
      method: "DELETE",
      path: "/members/{id}",
      operation_id: "removeMember",
      state: "audited",
      actions: ["removeMember"],
    },
    { method: "PATCH", path: "/members/{id}", operation_id: null, state: "audited", actions: mapped },
    { method: "PUT", path: "/members/{id}", operation_id: null, state: "audited", actions: mapped },
  ]);
});

test("prints the tools of an MCP server below its route", async () => {
  const { stdout } = await runCli(["coverage", made.directory]);
  expect(stdout).toContain("POST\t/mcp\taudited\tmcp.method_called, ");
  expect(stdout).toContain(
    "\n\t  tool removeMember\taudited\t\n\t  tool gone\tunknown\t\n\t  tool listMembers\tunaudited\t\n",
  );
  expect(stdout).toMatch(/^7 operations: 5 audited, 1 exempt, 1 unaudited$/m);
});

describe("--update and --check", () => {
  test("write one operation a line, and pass as long as the file says what the project does", async () => {
    const missing = await coverage("--check");
    expect(missing).toMatchObject({ code: 1, ok: false, findings: [{ subject: FILE, message: "is missing" }] });
    expect((await runCli(["coverage", made.directory, "--update"])).code).toBe(0);
    const text = await made.read(FILE);
    expect(text.split("\n").filter((line) => line.includes('"method"'))).toHaveLength(7);
    expect(await coverage("--check")).toMatchObject({ code: 0, ok: true, findings: [] });
    await made.write(FILE, JSON.stringify(JSON.parse(text), null, 4));
    expect(await coverage("--check")).toMatchObject({ code: 0, ok: true });
    expect(await made.read("config/a.oas.json")).toBe(JSON.stringify({ openapi: "3.1.0", paths: PATHS }));
  });

  test.each([
    ["an action that changed", { post: { "x-audit": { action: "member.asked" } } }, true],
    [
      "a target that changed",
      { post: { "x-audit": { action: "member.invited", targets: [{ type: "team", id: "t" }] } } },
      false,
    ],
  ])("notice %s", async (_name, { post }, isDifferent) => {
    await runCli(["coverage", made.directory, "--update"]);
    await setPaths({ ...PATHS, "/members": { ...PATHS["/members"], post: { ...PATHS["/members"].post, ...post } } });
    const { code, findings } = await coverage("--check");
    expect({ code, findings }).toEqual(
      isDifferent
        ? { code: 1, findings: [{ subject: FILE, message: "differs from the project: POST /members" }] }
        : { code: 0, findings: [] },
    );
  });

  test("name a file that is no JSON, with the command that writes it", async () => {
    await made.write(FILE, "{");
    expect(await coverage("--check")).toMatchObject({
      code: 1,
      findings: [{ subject: FILE, message: "cannot be read" }],
    });
    const { stdout } = await runCli(["coverage", made.directory, "--check"]);
    expect(stdout).toContain(`run: npx audit-forwarder coverage ${made.directory} --update`);
  });

  test.each([
    ["an unaudited write", "post", route([]), /is not audited/],
    ["an unaudited DELETE", "delete", route(["auth"]), /is not audited/],
    ["a bare skip on a GET", "get", route(["audit-log"], { "x-audit": { skip: true } }), /without a reason/],
    ["x-audit: false", "post", route([], { "x-audit": false }), /without a reason/],
    ["an empty reason", "post", route(["audit-log"], { "x-audit": { skip: " " } }), /without a reason/],
    [
      "a case that skips without a reason",
      "post",
      route(["audit-log"], { "x-audit": { cases: [{ when: { "$response.status": 401 }, skip: true }] } }),
      /without a reason/,
    ],
  ])("refuse %s", async (_name, method, operation, message) => {
    await setPaths({ "/a": { [method]: operation } });
    await runCli(["coverage", made.directory, "--update"]);
    const { code, findings } = await coverage("--check");
    expect(code).toBe(1);
    expect(findings).toEqual([
      { subject: `${method.toUpperCase()} /a (config/a.oas.json)`, message: expect.stringMatching(message) },
    ]);
  });

  test.each([
    ["an unaudited GET", "get", route([])],
    ["an unaudited HEAD", "head", route([])],
    ["an unaudited OPTIONS", "options", route([])],
    ["an unaudited write with a reason", "post", route([], { "x-audit": { skip: "a probe" } })],
  ])("accept %s", async (_name, method, operation) => {
    await setPaths({ "/a": { [method]: operation } });
    await runCli(["coverage", made.directory, "--update"]);
    expect(await coverage("--check")).toMatchObject({ code: 0, ok: true });
  });

  test("exclude one another", async () => {
    expect((await runCli(["coverage", made.directory, "--check", "--update"])).code).toBe(2);
  });
});
