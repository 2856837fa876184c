import { describe, expect, it } from "vitest";
import { inspect, type RouteToInspect } from "../../policy/inspection.ts";

function inspected(xAudit: unknown, route: Partial<RouteToInspect> = {}) {
  const one = { path: "/v1/members/{id}", methods: ["post"], operationId: "op", xAudit, ...route };
  const [found] = inspect({ options: {}, routes: [one] }).routes;
  if (!found) throw new Error("no route");
  return found;
}

const actionsOf = (found: ReturnType<typeof inspected>) => [...new Set(found.events.flatMap(({ actions }) => actions))];

describe("an inspection", () => {
  it("knows every action of the route, its cases and its maps", () => {
    const found = inspected({
      action: { select: "$body.op", map: { close: "account.closed", open: "account.opened" } },
      cases: [
        {
          when: { "$body.a": 1 },
          action: "case.one",
          metadata: { a: 1 },
          targets: [{ type: "thing", id: "$body.id" }],
        },
        { when: { "$body.a": 2 }, skip: "two" },
        { when: { "$body.a": 3 }, skip: true },
      ],
    });
    expect(actionsOf(found)).toEqual(["account.closed", "account.opened", "op", "case.one"]);
    expect(found.caseSkips).toEqual(["two", true]);
    expect(found.events.at(-1)).toEqual({
      actions: ["case.one"],
      actionIsSelected: false,
      targets: [{ type: "thing", metadata: {} }],
      actorMetadata: { role: "string", acting_party: "string", client_id: "string", known: "string" },
      metadata: { a: "number", body_bytes: "number", body_sha256: "string" },
    });
  });

  it("counts out the default action where a map has an else", () => {
    expect(actionsOf(inspected({ action: { select: "$body.op", map: { a: "x.a" }, else: "x.other" } }))).toEqual([
      "x.a",
      "x.other",
    ]);
  });

  it("knows what presets produce", () => {
    const mcp = inspected(
      { metadata: { plan: "$user.data.plan" } },
      { handler: { export: "mcpServerHandler", module: "$import(@zuplo/runtime)" } },
    );
    expect(mcp.preset).toBe("mcp");
    expect(actionsOf(mcp)).toEqual([
      "mcp.tool_called",
      "mcp.resource_read",
      "mcp.prompt_read",
      "mcp.method_called",
      "mcp.request_refused",
    ]);
    expect(mcp.events[0]).toMatchObject({
      targets: [{ type: "mcp_tool" }],
      metadata: {
        plan: "any",
        mcp_method: "string",
        mcp_session: "string",
        mcp_error_code: "number",
        mcp_arguments: "string",
        batch_index: "number",
        batch_size: "number",
      },
    });
    expect(actionsOf(inspected({ preset: "graphql" }))).toEqual([
      "graphql.query",
      "graphql.mutation",
      "graphql.subscription",
    ]);
    expect(
      inspected({ preset: "none" }, { handler: { export: "mcpServerHandler", module: "$import(@zuplo/runtime)" } })
        .preset,
    ).toBeUndefined();
  });

  it("says that a route leaves nothing, and why", () => {
    expect(inspected({ skip: "a health check" })).toMatchObject({ skip: true, reason: "a health check" });
    expect(inspected({ skip: "" })).toMatchObject({ skip: true, reason: "" });
    expect(inspected(false)).toMatchObject({ skip: true });
    expect(inspected(false)).not.toHaveProperty("reason");
  });

  it.each([
    [
      { targets: [{ type: "x", id: "$params.nope" }] },
      {},
      '"$params.nope" is not a parameter of the path /v1/members/{id}',
    ],
    [{ targets: [{ type: "x" }] }, {}, '"targets" has a target without "id"'],
    [{ metadata: { a: "$body.a" } }, { methods: ["get", "head"] }, '"$body.a" never resolves'],
    [{ action: "$body.op" }, {}, '"action" is chosen by the caller'],
  ])("names the fault of %j", (xAudit, route, problem) => {
    expect(inspected(xAudit, route).problems).toEqual([expect.stringContaining(problem)]);
  });

  it("knows the parameters of a path however they are written", () => {
    const targets = [{ type: "x", id: "$params.file-name" }];
    expect(inspected({ targets }, { path: "/v1/{file-name}" }).problems).toEqual([]);
    expect(inspected({ targets: [{ type: "x", id: "$params.id" }] }, { path: "/v1/:id" }).problems).toEqual([]);
  });

  it.each([
    [
      { organization: { select: "$header.x-org", trustCaller: true } },
      {},
      '"organization" trusts the caller: whoever sends "$header.x-org"',
    ],
    [{}, { operationId: "0b7e7d4a-1f5a-4c39-9a53-2d6f9c1f0a11" }, '"action" is a UUID'],
  ])("warns of %j", (xAudit, route, warning) => {
    expect(inspected(xAudit, route)).toMatchObject({ problems: [], warnings: [expect.stringContaining(warning)] });
  });
});
