/** The calls of the demo, against the example API in dev/gateway/project. */
import type { DemoCall } from "./call.ts";

/** An unaudited route. */
export const WARM_UP_PATH = "/health";

export const EXAMPLE_CALL: DemoCall = {
  method: "POST",
  path: "/v1/teams/team_1/members",
  token: "ada",
  body: { email: "grace@example.com", role: "member" },
  expectStatus: 201,
  expectAction: "member.invited",
};

const LIST_MEMBERS: DemoCall = {
  method: "GET",
  path: "/v1/teams/team_1/members?limit=20",
  token: "grace",
  expectStatus: 200,
  expectAction: "member.listed",
};

const READ_SECRET: DemoCall = {
  method: "GET",
  path: "/v1/secrets/database",
  assurance: "required",
  token: "ada",
  expectStatus: 200,
  expectAction: "secret.read",
};

const CHANGE_ROLE: DemoCall = {
  method: "PATCH",
  path: "/v1/teams/team_1/members/mem_7",
  token: "ada",
  body: { role: "owner" },
  assurance: "durable",
  expectStatus: 200,
  expectAction: "member.role_changed",
};

/** An agent calls a tool of the example's MCP server; HTTP answers 200 whatever the result. */
const toolCall = (
  name: string,
  pathParams: Readonly<Record<string, string>>,
): Pick<DemoCall, "method" | "path" | "token" | "body" | "expectStatus" | "expectAction"> => ({
  method: "POST",
  path: "/mcp",
  token: "ada",
  body: { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: { pathParams } } },
  expectStatus: 200,
  expectAction: "mcp.tool_called",
});

const RENAME_MEMBER: DemoCall = {
  method: "POST",
  path: "/graphql",
  token: "ada",
  body: {
    query: "mutation Rename($id: ID!, $email: String!) { renameMember(id: $id, email: $email) { id } }",
    variables: { id: "mem_7", email: "no address" },
  },
  expectStatus: 200,
  expectAction: "graphql.mutation",
  expectOutcome: "failure",
};

/** One call of each kind: successful, denied, failed, refused by a later policy, and anonymous. */
export const HEALTHY_CALLS: readonly DemoCall[] = [
  EXAMPLE_CALL,
  LIST_MEMBERS,
  CHANGE_ROLE,
  READ_SECRET,
  { method: "DELETE", path: "/v1/api-keys/key_42", token: "ada", expectStatus: 204, expectAction: "api_key.revoked" },
  { method: "GET", path: "/v1/session", expectStatus: 200, expectAction: "session.read" },
  { method: "DELETE", path: "/v1/teams/team_1/members/mem_7", expectStatus: 401, expectAction: "member.removed" },
  {
    method: "POST",
    path: "/v1/api-keys/key_42/rotations",
    token: "ada",
    expectStatus: 429,
    expectAction: "api_key.rotated",
  },
  { method: "GET", path: "/v1/reports/rep_1", token: "ada", expectStatus: 500, expectAction: "report.read" },
  {
    ...toolCall("removeMember", { teamId: "team_1", memberId: "mem_7" }),
    expectOutcome: "success",
    expectChildAction: "member.removed",
  },
  { ...toolCall("readReport", { reportId: "rep_1" }), expectOutcome: "failure", expectChildAction: "report.read" },
  RENAME_MEMBER,
];

/** One call per assurance level. */
export const OUTAGE_CALLS: readonly DemoCall[] = [EXAMPLE_CALL, CHANGE_ROLE, READ_SECRET];
