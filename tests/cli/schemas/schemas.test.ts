import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startWorkos, type WorkosStandIn } from "../../../dev/workos/server.ts";
import { EVENT_METADATA } from "../../../shared/event.ts";
import { OPERATOR_ACTIONS } from "../../../shared/operator-actions.ts";
import { makeProject, type Project } from "../support/project.ts";
import { json, openTerminal, runCli } from "../support/run-cli.ts";

let workos: WorkosStandIn;
let project: Project;
let lock: string;
let env: Record<string, string>;
const removals: (() => Promise<void>)[] = [];

beforeEach(async () => {
  workos = await startWorkos();
  env = { WORKOS_API_KEY: workos.apiKey, WORKOS_BASE_URL: workos.url };
  const folder = await mkdtemp(join(tmpdir(), "lock-"));
  lock = join(folder, "lock.json");
  removals.push(() => rm(folder, { recursive: true }));
  project = await projectOf({ "get /teams/{id}": TEAM_READ, "post /teams": TEAM_CREATED });
});
afterEach(async () => {
  await workos.stop();
  await Promise.all(removals.splice(0).map((remove) => remove()));
});

const TEAM_READ = { action: "team.read", targets: [{ id: "$params.id", type: "team" }] };
const TEAM_CREATED = {
  action: "team.created",
  actor: { metadata: { plan: "$user.data.plan" } },
  targets: [{ id: "$response.body.id", type: "team", metadata: { region: "$header.x-region" } }],
  metadata: { seats: "$body.seats", source: "api", code: "$response.status", trial: true },
};

/** A project with the audit policy and these operations: the value is `x-audit`. */
async function projectOf(operations: Record<string, unknown>, options: object = {}): Promise<Project> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, xAudit] of Object.entries(operations)) {
    const [method = "", path = ""] = name.split(" ");
    const route = { "x-audit": xAudit, "x-zuplo-route": { handler: {}, policies: { inbound: ["audit-log"] } } };
    paths[path] = { ...paths[path], [method]: route };
  }
  const handler = { module: "$import(./modules/audit-log)", export: "auditLog", options };
  const policies = [{ name: "audit-log", policyType: "custom-code-inbound", handler }];
  const made = await makeProject({
    "config/a.oas.json": JSON.stringify({ paths }),
    "config/policies.json": JSON.stringify({ policies }),
  });
  removals.push(() => made.remove());
  return made;
}

const schemas = (command: string, ...flags: string[]) =>
  runCli(["schemas", command, project.directory, "--lock", lock, ...flags], { env });
/** The lock file without the forwarder's own actions. */
const lockFile = async () => {
  const entries = Object.entries(JSON.parse(await readFile(lock, "utf8")) as Record<string, number>);
  return Object.fromEntries(entries.filter(([action]) => !action.startsWith("audit_forwarder.")));
};
const OWN = Object.keys(OPERATOR_ACTIONS);

test("push registers each action with its targets, metadata and what every event carries, and locks the versions", async () => {
  const pushed = await schemas("push", "--json");
  expect(pushed.code).toBe(0);
  expect(json(pushed)).toMatchObject({ registered: 2 + OWN.length, failed: [], lock_written: true });
  expect(await lockFile()).toEqual({ "team.created": 1, "team.read": 1 });
  const dto = workos.registry.find("team.created")?.versions[0].dto;
  const text = { type: "string", maxLength: 500 };
  const any = { type: ["string", "number", "boolean"], maxLength: 500 };
  expect(dto?.targets).toEqual([{ type: "team", metadata: { type: "object", properties: { region: text } } }]);
  expect(dto?.actor?.metadata).toEqual({
    type: "object",
    properties: { role: text, acting_party: text, client_id: text, known: text, plan: any },
  });
  const properties = dto?.metadata?.["properties"] as Record<string, unknown>;
  expect(properties).toMatchObject({ seats: any, source: text, code: { type: "number" }, trial: { type: "boolean" } });
  expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(EVENT_METADATA)));

  const again = await schemas("push", "--json");
  expect(json(again)).toMatchObject({ registered: 0, lock_written: false });
  expect(await schemas("check")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(new RegExp(`ok +${2 + OWN.length} actions`)),
  });
});

describe("check exits 1 on drift", () => {
  test("where an action was never registered", async () => {
    const checked = await schemas("check");
    expect(checked.code).toBe(1);
    expect(checked.stdout).toMatch(
      /missing team\.created\n( +\+ actor metadata \w+: string\n)* +\+ actor metadata plan: boolean \| number \| string/,
    );
  });

  test("where a schema is stale, with the difference", async () => {
    await schemas("push");
    project = await projectOf({ "post /teams": { ...TEAM_CREATED, targets: [{ id: "1", type: "workspace" }] } });
    const checked = await schemas("check", "--json");
    expect(checked.code).toBe(1);
    expect(json(checked).changes).toEqual([
      {
        action: "team.created",
        state: "changed",
        diff: [
          "- metadata response_body_bytes: number",
          "- metadata response_body_sha256: string",
          "- target team",
          "- target team metadata region: string",
          "+ target workspace",
        ],
      },
    ]);
    expect(json(checked).unused).toEqual(["team.read"]);
    await schemas("push");
    expect(await lockFile()).toEqual({ "team.created": 2, "team.read": 1 });
    expect(workos.registry.find("team.read")?.versions).toHaveLength(1);
  });

  test("where the lock file holds another version than WorkOS", async () => {
    await schemas("push");
    await writeFile(lock, '{"team.created":7}');
    const checked = await schemas("check", "--json");
    expect(checked.code).toBe(1);
    expect(json(checked).unlocked.toSorted()).toEqual([...OWN, "team.created", "team.read"].toSorted());
  });

  test.each([
    ["an action that is no name", { "get /a": { action: "team read/é" } }, /the action "team read\/é" must be letters/],
    [
      "two target types under one action",
      { "get /a": TEAM_READ, "get /b": { ...TEAM_READ, targets: [{ id: "1", type: "user" }] } },
      /"team\.read" has different target types at GET \/a/,
    ],
    [
      "a target type that a selector chooses",
      { "get /a": { action: "a.b", targets: [{ id: "1", type: "$params.kind" }] } },
      /a selector chooses "type" of a target/,
    ],
    ["no target at all", { "get /a": { action: "a.b", targets: [] } }, /"targets" is empty/],
    [
      "21 targets",
      { "get /a": { action: "a.b", targets: Array.from({ length: 21 }, () => ({ id: "1", type: "t" })) } },
      /more than 20 targets/,
    ],
    [
      "a key that WorkOS refuses",
      { "get /a": { action: "a.b", metadata: { "http.status": "1" } } },
      /has the key "http\.status"/,
    ],
    [
      "more keys than fit",
      {
        "get /a": { action: "a.b", metadata: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i}`, "1"])) },
      },
      /metadata has \d+ keys; WorkOS accepts 50/,
    ],
    ["a wrong x-audit", { "get /a": { acton: "a.b" } }, /x-audit: "x-audit\.acton" is not known/],
  ])("where the project has %s", async (_name, operations, message) => {
    project = await projectOf(operations);
    const checked = await schemas("check");
    expect(checked.code).toBe(1);
    expect(checked.stdout).toMatch(message);
    const pushed = await schemas("push");
    expect(pushed.code).toBe(1);
    expect(pushed.stderr).toMatch(/^error\[invalid_option\]: nothing was registered; first mend: /);
    expect(workos.registry.isEmpty).toBe(true);
  });
});

describe("what is derived", () => {
  test("an action from the operation id or the method and path, and the route as its target", async () => {
    project = await projectOf({ "get /teams/{id}": undefined, "post /teams": { skip: true } });
    await schemas("push");
    expect(workos.registry.actions().map(({ name }) => name)).toEqual([...OWN, "get.teams.id"]);
    expect(workos.registry.find("get.teams.id")?.versions[0].dto.targets[0]?.type).toBe("route");
  });

  test("the policy's defaults below each route", async () => {
    project = await projectOf(
      { "get /a": { action: "a.b" } },
      { defaults: { targets: [{ id: "1", type: "tenant" }], metadata: { tier: "$header.x-tier" } } },
    );
    await schemas("push");
    const dto = workos.registry.find("a.b")?.versions[0].dto;
    expect(dto?.targets.map(({ type }) => type)).toEqual(["tenant"]);
    expect(dto?.metadata).toHaveProperty("properties.tier");
  });

  test("a note where a selector chooses the action", async () => {
    project = await projectOf({ "get /a": { action: ["$user.data.action", "a.b"] } });
    expect(json(await schemas("check", "--json")).notes).toEqual([
      expect.stringContaining("a selector chooses the action"),
    ]);
  });
});

test("a registry of 500 actions is read over all its pages", async () => {
  await schemas("push");
  for (let i = 0; i < 500; i++)
    workos.registry.register(`old.action_${i}`, { targets: [{ type: "t" }] }, "2026-01-01T00:00:00Z");
  const checked = await schemas("check", "--json");
  expect(checked.code).toBe(0);
  expect(json(checked).unused).toHaveLength(500);
  const pages = workos.requests().filter(({ path }) => path === "/audit_logs/actions");
  expect(pages.length).toBeGreaterThanOrEqual(6);
});

describe("what WorkOS refuses", () => {
  test("a schema: it is named, the others are registered and locked, and the exit is 1", async () => {
    workos.faults.add({
      match: { method: "POST", path: "/audit_logs/actions/team.read/schemas" },
      status: 422,
      body: { message: "Validation failed.", errors: [{ code: "invalid", field: "targets" }] },
    });
    const pushed = await schemas("push", "--json");
    expect(pushed.code).toBe(1);
    expect(json(pushed)).toMatchObject({
      registered: 1 + OWN.length,
      failed: [{ action: "team.read", code: "rejected", message: expect.stringContaining("targets invalid") }],
    });
    expect(await lockFile()).toEqual({ "team.created": 1 });
  });

  test.each([
    ["a wrong key", { WORKOS_API_KEY: "sk_wrong" }, 1, 'error[unauthorized]: WorkOS refuses "WORKOS_API_KEY"'],
    ["no key", { WORKOS_API_KEY: "" }, 2, 'error[wrong_use]: "WORKOS_API_KEY" is not set'],
    [
      "another server",
      { WORKOS_BASE_URL: "http://127.0.0.1:9" },
      1,
      "error[unavailable]: WorkOS at http://127.0.0.1:9 does not answer",
    ],
  ])("%s", async (_name, variables, code, message) => {
    const ended = await runCli(["schemas", "check", project.directory, "--lock", lock], {
      env: { ...env, ...variables },
    });
    expect(ended.code).toBe(code);
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).not.toContain("sk_wrong");
  });

  test("a key without permission", async () => {
    workos.keys.restrict(workos.apiKey);
    const { code, stderr } = await schemas("check");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'error[unauthorized]: "WORKOS_API_KEY" has no permission for audit logs\n',
    });
  });
});

test("a lock file that is malformed is named and left alone", async () => {
  await writeFile(lock, '{"a": "1"}');
  const { code, stderr } = await schemas("push");
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining("must be an object of action and version"),
  });
  expect(await readFile(lock, "utf8")).toBe('{"a": "1"}');
});

test("a project without the policy is told to init first", async () => {
  await project.write("config/policies.json", '{"policies":[]}');
  expect(await schemas("check")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('has no policy "audit-log"; run: npx audit-forwarder init /'),
  });
});

test("on a terminal push asks, and --dry-run registers nothing", async () => {
  expect((await schemas("push", "--dry-run")).stdout).toContain("missing team.read");
  const terminal = openTerminal(["schemas", "push", project.directory, "--lock", lock], { env });
  await terminal.shows("schemas? A version");
  terminal.write("n\r");
  expect(await terminal.exitCode).toBe(1);
  expect(workos.registry.isEmpty).toBe(true);
});
