/** The events that a described call would leave: `preview`, and whether WorkOS would take them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PreviewedEvent } from "../../cli/policy/preview.ts";
import { startWorkos, type WorkosStandIn } from "../../dev/workos/server.ts";
import { makeProject, type Project } from "./support/project.ts";
import { json, runCli } from "./support/run-cli.ts";

const LOCK = "audit-schemas.lock.json";
const audited = (more: object) => ({
  "x-zuplo-route": { handler: {}, policies: { inbound: ["audit-log"] } },
  ...more,
});
const PATHS = {
  "/members/{id}": {
    delete: audited({
      "x-audit": {
        action: "member.removed",
        organization: "$user.data.organizationId",
        targets: [{ type: "member", id: "$params.id" }],
        metadata: { reason: "$body.reason", source: "$header.x-source?", dry: "$query.dry?" },
        cases: [{ when: { "$response.status": 404 }, skip: "nothing happened" }],
      },
    }),
    get: { "x-zuplo-route": { handler: {}, policies: { inbound: [] } } },
  },
  "/mcp": { post: audited({ "x-audit": { preset: "mcp", organization: "org_1" } }) },
  "/bad": { post: audited({ "x-audit": { action: "not an action", organization: "org_1" } }) },
};
const USER = '{"sub":"usr_1","data":{"organizationId":"org_1"}}';
const OPERATION = "DELETE /members/{id}";

let made: Project;
let workos: WorkosStandIn;
beforeAll(async () => {
  workos = await startWorkos();
  made = await makeProject({ "config/a.oas.json": JSON.stringify({ openapi: "3.1.0", paths: PATHS }) });
  await runCli(["init", made.directory, "--routes", "none"]);
});
afterAll(async () => {
  await workos.stop();
  await made.remove();
});

async function preview(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const ended = await runCli(["preview", made.directory, ...args, "--json"], { env });
  return { code: ended.code, ...json(ended) };
}

const call = [OPERATION, "--path", "/members/%6Dem_7", "--user", USER];

test("makes the event of the described call, with values of path, query, header, body and user", async () => {
  await made.write("body.json", '{"reason":"left"}');
  const more = [
    "--body",
    `@${made.directory}/body.json`,
    "--header",
    "x-source: portal",
    "--query",
    "dry=1",
    "--status",
    "403",
  ];
  const { code, events, missing, skipped } = await preview([...call, ...more]);
  expect({ code, missing, skipped }).toEqual({ code: 0, missing: [], skipped: undefined });
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({
    organization_id: "org_1",
    event: {
      action: "member.removed",
      actor: { id: "usr_1", type: "user" },
      targets: [{ id: "mem_7", type: "member" }],
      metadata: { reason: "left", source: "portal", dry: "1", outcome: "denied", http_status: 403 },
    },
  });
});

test("names what did not resolve", async () => {
  expect(await preview(call)).toMatchObject({ code: 0, missing: ["$body.reason"] });
});

test("follows an event stream on an MCP route", async () => {
  const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"remove_member","arguments":{}}}';
  const response = 'data: {"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"m"}}\n\n';
  const args = ["POST /mcp", "--body", body, "--user", USER, "--response", response];
  const outcomeOf = async (more: readonly string[]) =>
    ((await preview([...args, ...more])).events as PreviewedEvent[])[0]?.event.metadata?.["outcome"];
  expect(await outcomeOf(["--response-type", "text/event-stream"])).toBe("failure");
  expect(await outcomeOf([])).not.toBe("failure");
});

test.each([
  ["a case skips it", [...call, "--status", "404"], "nothing happened"],
  ["the route is not audited", ["GET /members/{id}"], "the route is not audited"],
])("says why there is no event: %s", async (_name, args, skipped) => {
  expect(await preview(args)).toMatchObject({ code: 0, events: [], skipped });
});

describe("exits 1 for an event that WorkOS would not take", () => {
  test("without an organization", async () => {
    const { code, events, problems } = await preview([OPERATION, "--path", "/members/mem_7"]);
    expect({ code, id: events[0].organization_id }).toEqual({ code: 1, id: null });
    expect(problems).toEqual([{ event: 0, message: expect.stringContaining("no organization") }]);
  });

  test("with an action that cannot be one", async () => {
    const { code, problems } = await preview(["POST /bad"]);
    expect(code).toBe(1);
    expect(problems).toEqual([{ event: 0, message: expect.stringContaining('the action "not an action"') }]);
  });

  test("with an action that is not registered, or registered without its target, by the project's lock file", async () => {
    const env = { WORKOS_API_KEY: workos.apiKey, WORKOS_BASE_URL: workos.url };
    await made.write(LOCK, '{"member.removed":1}');
    const unregistered = await preview(call, env);
    expect(unregistered).toMatchObject({
      code: 1,
      problems: [{ event: 0, message: 'the action "member.removed" is not registered in WorkOS' }],
    });
    expect(unregistered.events[0].event.version).toBe(1);
    await register({ targets: [{ type: "team" }] });
    expect(await preview(call, env)).toMatchObject({
      code: 1,
      problems: [{ event: 0, message: 'no target of the type "team"' }],
    });
    await register({ targets: [{ type: "member" }] });
    await made.write(LOCK, '{"member.removed":2}');
    expect(await preview(call, env)).toMatchObject({ code: 0, events: [{ event: { version: 2 } }] });
    await made.write(LOCK, '{"member.removed":3}');
    expect(await preview(call, env)).toMatchObject({ code: 1 });
  });

  async function register(schema: object) {
    const headers = { authorization: `Bearer ${workos.apiKey}`, "content-type": "application/json" };
    const url = `${workos.url}/audit_logs/actions/member.removed/schemas`;
    expect((await fetch(url, { method: "POST", headers, body: JSON.stringify(schema) })).ok).toBe(true);
  }
});

test.each([
  [["DELETE /nowhere"], /the project has no operation "DELETE \/nowhere"/],
  [["POST /members/{id}"], /the path has DELETE \/members\/\{id\}, GET \/members\/\{id\}/],
  [["members"], /"operation" must be a method and a path/],
  [[OPERATION, "--path", "mem_7"], /"--path" must begin with "\/"/],
  [[OPERATION, "--status", "99"], /"--status" must be a whole number from 100 to 599/],
  [[OPERATION, "--user", "ada"], /"--user" must be a JSON object/],
  [[OPERATION, "--body", "@/nowhere"], /the file of "--body" cannot be read \(ENOENT\)/],
  [[OPERATION, "--header", "x"], /"--header" must be name:value/],
  [[OPERATION, "--response-type", "stream"], /"--response-type" must be a media type such as text\/event-stream/],
])("wrong use: %j", async (args, message) => {
  const { code, stderr } = await runCli(["preview", made.directory, ...args]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
});
