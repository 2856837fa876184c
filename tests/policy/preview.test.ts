import { describe, expect, it } from "vitest";
import { preview } from "../../policy/preview.ts";

const route = {
  path: "/v1/members/{id}",
  operationId: "removeMember",
  xAudit: {
    action: "member.removed",
    targets: [{ type: "member", id: "$params.id" }],
    metadata: { reason: "$body.reason", by: "$query.by?", gone: "$response.body.gone" },
    cases: [{ when: { "$user.sub": { exists: false } }, skip: "strangers" }],
  },
};

describe("a preview", () => {
  it("gives the records that the request would leave, and what did not resolve", async () => {
    const call = {
      method: "delete",
      path: "/v1/members/%6Dem_7",
      query: "by=a&by=b",
      headers: [["user-agent", "cli"]] as const,
      body: '{"reason":9007199254740993}',
      user: { sub: "user_1", data: { name: "Ada" } },
      status: 202,
      response: "{}",
    };
    const { records, missing, problems, skipped } = await preview({
      options: { organizationId: "org_1" },
      route,
      call,
    });
    expect(records).toEqual([
      expect.objectContaining({
        action: "member.removed",
        organization: "org_1",
        actor: { id: "user_1", type: "user", name: "Ada" },
        targets: [{ type: "member", id: "mem_7" }],
        metadata: { reason: "9007199254740993", by: "b" },
        status: 202,
        outcome: "success",
        userAgent: "cli",
      }),
    ]);
    expect([missing, skipped]).toEqual([["$response.body.gone"], undefined]);
    // The variables of the paths out are missing here.
    expect(problems.every((line) => line.includes("missing_variable"))).toBe(true);
  });

  it("finds the answer of an MCP tool in an event stream, as in JSON", async () => {
    const mcp = { path: "/mcp", xAudit: { preset: "mcp" } };
    const request = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "remove_member", arguments: {} } };
    const failure = JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code: -32_000, message: "m" } });
    const outcomes = async (response: string, responseType: string) => {
      const call = { method: "POST", body: JSON.stringify(request), response, responseType };
      const { records } = await preview({ options: { organizationId: "org_1" }, route: mcp, call });
      return records.map(({ outcome, metadata }) => ({ outcome, metadata }));
    };
    const inJson = await outcomes(failure, "application/json");
    expect(inJson).toMatchObject([{ outcome: "failure" }]);
    expect(await outcomes(`event: message\ndata: ${failure}\n\n`, "text/event-stream")).toEqual(inJson);
    expect(await outcomes("data: {}\n\n", "text/event-stream")).not.toEqual(inJson);
  });

  it("says why there is no record", async () => {
    expect(await preview({ options: {}, route, call: { method: "DELETE" } })).toMatchObject({
      records: [],
      skipped: "strangers",
    });
    const exempt = { ...route, xAudit: { skip: "a health check" } };
    expect(await preview({ options: {}, route: exempt, call: { method: "DELETE" } })).toMatchObject({
      records: [],
      skipped: "a health check",
    });
  });

  it.each([true, ""])("says that there is no reason where skip is %j", async (skip) => {
    const silent = { ...route, xAudit: { skip } };
    expect(await preview({ options: {}, route: silent, call: { method: "DELETE" } })).toMatchObject({
      records: [],
      skipped: "no reason given",
    });
  });

  it("leaves several records where the request means several", async () => {
    const bulk = { ...route, xAudit: { each: "$body", targets: [{ type: "member", id: "$item" }] } };
    const { records } = await preview({ options: {}, route: bulk, call: { method: "POST", body: '["a","b"]' } });
    expect(records.map(({ targets }) => targets[0]?.id)).toEqual(["a", "b"]);
  });

  it.each([
    ["/v1/files/{file-name}.{ext}", "/v1/files/a%20b.txt", "a b", "txt"],
    ["/v1/:file/:ext", "/v1/x/y", undefined, "y"],
    ["/v1/files/{file-name}", "/elsewhere", undefined, undefined],
  ])("takes the parameters of %s from %s", async (pattern, path, name, ext) => {
    const xAudit = { metadata: { name: "$params.file-name?", ext: "$params.ext?" } };
    const { records } = await preview({ options: {}, route: { path: pattern, xAudit }, call: { method: "GET", path } });
    expect([records[0]?.metadata?.["name"], records[0]?.metadata?.["ext"]]).toEqual([name, ext]);
  });

  it("says what is wrong with x-audit", async () => {
    const wrong = { ...route, xAudit: { cases: 1 } };
    const { problems } = await preview({ options: {}, route: wrong, call: { method: "GET", status: 204 } });
    expect(problems.at(-1)).toContain('invalid_option: on /v1/members/{id}: "cases" must be a list');
  });
});
