/** MCP, GraphQL and JSON-RPC on the real gateway, called by the official clients. */
import { randomUUID } from "node:crypto";
import { request as httpRequest } from "node:http";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { ExecutionResult } from "graphql";
import { createClient, type RequestParams } from "graphql-http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Gateway, startGateway } from "../../dev/gateway/gateway.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { moduleFiles, sinkVariables } from "./harness.ts";
import { type ProtocolOrigin, startProtocolOrigin } from "./protocol-origin.ts";
import { policiesFile } from "./routes.ts";
import { type Sink, startSink } from "./sink.ts";

const RPC = {
  action: "rpc.called",
  cases: [
    { when: { "$body.method": "ping" }, skip: "protocol traffic" },
    {
      when: { "$body.method": "users/delete" },
      action: "user.deleted",
      targets: [{ type: "user", id: "$body.params.id" }],
    },
  ],
  outcome: [
    { when: { "$response.body.error.code": -32001 }, is: "denied" },
    { when: { "$response.body.error": { exists: true } }, is: "failure" },
  ],
};
const BULK = { each: "$body.items", action: "member.removed", targets: [{ type: "member", id: "$item.id" }] };

const forward = {
  module: "$import(@zuplo/runtime)",
  export: "urlForwardHandler",
  options: { baseUrl: "${env.ORIGIN_URL}" },
};
const own = (name: string) => ({ module: "$import(./modules/scenarios)", export: name });

function operation(
  operationId: string,
  handler: unknown,
  xAudit?: unknown,
  inbound = ["audit-log", "auth"],
  more = {},
) {
  return {
    operationId,
    ...(xAudit === undefined ? {} : { "x-audit": xAudit }),
    "x-zuplo-route": { corsPolicy: "none", handler, policies: { inbound, outbound: [] } },
    ...more,
  };
}

const tool = (id: string) => ({ file: "./config/routes.oas.json", id });
const member = { parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }] };
const mcpHandler = {
  module: "$import(@zuplo/runtime)",
  export: "mcpServerHandler",
  options: { name: "gateway", version: "1.0.0", operations: [tool("removeMember"), tool("breakMember")] },
};

const paths = {
  "/mcp": { post: operation("mcp-server", mcpHandler) },
  "/refusing/mcp": { post: operation("mcp-refusing", mcpHandler, undefined, ["audit-log", "must-auth"]) },
  "/untold/mcp": { post: operation("mcp-untold", mcpHandler, { preset: "none" }) },
  "/members/{id}": {
    delete: operation(
      "removeMember",
      own("child"),
      { action: "member.removed", targets: [{ type: "member", id: "$params.id" }] },
      undefined,
      member,
    ),
  },
  "/broken/{id}": { delete: operation("breakMember", own("throws"), undefined, undefined, member) },
  "/mcp-json": {
    post: operation("mcp-json", forward, { preset: "mcp" }),
    get: operation("mcp-json-get", forward, { preset: "mcp" }),
    delete: operation("mcp-json-delete", forward, { preset: "mcp" }),
  },
  "/mcp-sse": {
    post: operation("mcp-sse", forward, { preset: "mcp" }),
    get: operation("mcp-sse-get", forward, { preset: "mcp" }),
  },
  "/graphql": { post: operation("graphql", forward, { preset: "graphql" }) },
  "/rpc": { post: operation("rpc", forward, RPC) },
  "/values/{id}": {
    post: operation("values", own("echo"), {
      organization: "$header.x-org",
      targets: [{ type: "thing", id: "$params.id" }],
      metadata: { big: "$body.id", tag: "$query.tag", first: "$query.tag[0]", org: "$header.x-org?" },
    }),
  },
  "/bulk": { post: operation("bulk", own("echo"), BULK) },
  "/parts": { post: operation("parts", forward, { preset: "mcp" }) },
  "/plain/parts": { post: operation("plain-parts", forward, undefined, []) },
  "/durable/parts": { post: operation("durable-parts", forward, { preset: "mcp", assurance: "durable" }) },
};

const INFO = { title: "Protocols", version: "1.0.0" };

let origin: ProtocolOrigin;
let sink: Sink;
let gateway: Gateway;
beforeAll(async () => {
  [origin, sink] = await Promise.all([startProtocolOrigin(), startSink()]);
  gateway = await startGateway({
    env: { ...sinkVariables(sink.url), ORIGIN_URL: origin.url },
    files: {
      "config/routes.oas.json": JSON.stringify({ openapi: "3.1.0", info: INFO, paths }),
      "config/policies.json": policiesFile({ coalesceMs: 0, timeoutMs: 5_000 }),
      ...(await moduleFiles()),
    },
  });
});
afterAll(async () => {
  await gateway?.stop();
  await origin?.close();
  await sink?.close();
});
beforeEach(() => sink.reset());

const USER = { "x-test-user": "agent_1", "x-test-data": '{"act":{"sub":"assistant_7"},"azp":"app_3"}' };

/** The official client on a route; its requests carry the id that is given back. */
async function connect(path: string): Promise<{ client: Client; requestId: string }> {
  const requestId = randomUUID();
  const client = new Client({ name: "test", version: "1.0.0" });
  const requestInit = { headers: { ...USER, "zp-rid": requestId } };
  await client.connect(new StreamableHTTPClientTransport(new URL(gateway.url + path), { requestInit }));
  return { client, requestId };
}

/**
 * The records that requests of this id left, in the order of the requests, once a request behind them has left its own.
 * A client may have an answer before the policy has read it to its end, so records can arrive in another order.
 */
async function recordsOf(requestId: string, count: number): Promise<AuditRecord[]> {
  await sink.waitForRecords((record) => record.requestId === requestId, count);
  const marker = randomUUID();
  await post("/rpc", { jsonrpc: "2.0", id: 1, method: "marker" }, { "zp-rid": marker });
  await sink.waitForRecords((record) => record.requestId === marker);
  return sink
    .records()
    .filter((record) => record.requestId === requestId)
    .toSorted((a, b) => a.occurredAtMs - b.occurredAtMs || a.sequence - b.sequence);
}

async function post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(gateway.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
    body: JSON.stringify(body),
  });
}

const short = ({ action, targets, outcome }: AuditRecord) => [action, targets[0]?.type, targets[0]?.id, outcome];

describe("Zuplo's own MCP server", () => {
  it("leaves an agent's tool call, its outcome and the API call that it made, and nothing else", async () => {
    const { client, requestId } = await connect("/mcp");
    await client.listTools();
    await client.callTool({ name: "removeMember", arguments: { pathParams: { id: "mem_7" } } });
    await client.callTool({ name: "breakMember", arguments: { pathParams: { id: "mem_8" } } });
    await client.close();
    const records = await recordsOf(requestId, 4);
    const calls = records.filter(({ action }) => action === "mcp.tool_called");
    expect(calls.map(short)).toEqual([
      ["mcp.tool_called", "mcp_tool", "removeMember", "success"],
      ["mcp.tool_called", "mcp_tool", "breakMember", "failure"],
    ]);
    const child = records.find(({ action }) => action === "member.removed");
    expect(child).toMatchObject({ parentId: calls[0]?.id, targets: [{ id: "mem_7", type: "member" }] });
    expect(records.map(({ action }) => action).toSorted()).toEqual([
      "breakMember",
      "mcp.tool_called",
      "mcp.tool_called",
      "member.removed",
    ]);
    expect(calls[0]).toMatchObject({
      actor: { id: "agent_1", metadata: { acting_party: "assistant_7", client_id: "app_3" } },
      metadata: { mcp_method: "tools/call", mcp_arguments: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
  });

  it("leaves one record for each message of a batch that means something, and for what is no JSON-RPC", async () => {
    const requestId = randomUUID();
    const call = { jsonrpc: "2.0", method: "tools/call", params: { name: "removeMember", arguments: { id: "a" } } };
    await post("/refusing/mcp", [{ jsonrpc: "2.0", id: 1, method: "ping" }, { ...call, id: 2 }, 7], {
      "zp-rid": requestId,
    });
    const records = await recordsOf(requestId, 3);
    expect(records.map(short)).toEqual([
      ["mcp.request_refused", "route", "/refusing/mcp", "denied"],
      ["mcp.tool_called", "mcp_tool", "removeMember", "denied"],
      ["mcp.request_refused", "route", "/refusing/mcp", "denied"],
    ]);
    expect(records.map(({ parentId }) => parentId)).toEqual([undefined, records[0]?.id, records[0]?.id]);
  });

  it("is an ordinary route where the preset is none", async () => {
    const requestId = randomUUID();
    await post("/untold/mcp", { jsonrpc: "2.0", id: 1, method: "ping" }, { "zp-rid": requestId });
    expect((await recordsOf(requestId, 1)).map(short)).toEqual([["mcp-untold", "route", "/untold/mcp", "success"]]);
  });
});

describe.each(["/mcp-json", "/mcp-sse"])("an MCP server behind the gateway that answers by %s", (path) => {
  it("leaves calls, reads and prompts with their true outcomes, and their session", async () => {
    const { client, requestId } = await connect(path);
    await client.callTool({ name: "add", arguments: { a: 1, b: 2 } });
    await client.callTool({ name: "fail", arguments: {} });
    await client.callTool({ name: "chatty", arguments: {} });
    await client.readResource({ uri: "note://7" });
    await client.readResource({ uri: "nothing://7" }).catch(() => undefined);
    await client.getPrompt({ name: "greet", arguments: { name: "Ada" } });
    await client.close();
    const records = await recordsOf(requestId, 6);
    expect(records.map(short)).toEqual([
      ["mcp.tool_called", "mcp_tool", "add", "success"],
      ["mcp.tool_called", "mcp_tool", "fail", "failure"],
      ["mcp.tool_called", "mcp_tool", "chatty", "success"],
      ["mcp.resource_read", "mcp_resource", "note://7", "success"],
      ["mcp.resource_read", "mcp_resource", "nothing://7", "failure"],
      ["mcp.prompt_read", "mcp_prompt", "greet", "success"],
    ]);
    expect(records[4]?.metadata).toMatchObject({ mcp_error_code: expect.any(Number) });
    expect(new Set(records.map(({ metadata }) => metadata?.["mcp_session"])).size).toBe(1);
    expect(records[0]?.metadata?.["mcp_session"]).toMatch(/^session-\d+$/);
  });
});

describe("a GraphQL server", () => {
  /** Calls the server with the client of the GraphQL Foundation; returns what the client got, and the record that it left. */
  async function run(params: RequestParams): Promise<{ result: ExecutionResult; record: AuditRecord | undefined }> {
    const requestId = randomUUID();
    const client = createClient({ url: `${gateway.url}/graphql`, headers: { ...USER, "zp-rid": requestId } });
    const result = await new Promise<ExecutionResult>((resolve, reject) => {
      client.subscribe(params, { next: resolve, error: reject, complete: () => reject(new Error("no result")) });
    });
    const [record] = await recordsOf(requestId, 1);
    return { result, record };
  }

  it("answers a query with variables, which leaves its name", async () => {
    const query = "query Find($id: ID!) { member(id: $id) { id } }";
    const { result, record } = await run({ query, variables: { id: "mem_7" } });
    expect(result).toEqual({ data: { member: { id: "mem_7" } } });
    expect(record && short(record)).toEqual(["graphql.query", "graphql_operation", "Find", "success"]);
  });

  it("runs a mutation, which leaves who ran it", async () => {
    const query = "mutation Remove($id: ID!) { removeMember(id: $id) { id } }";
    const { result, record } = await run({ query, variables: { id: "mem_8" } });
    expect(result).toEqual({ data: { removeMember: { id: "mem_8" } } });
    expect(record && short(record)).toEqual(["graphql.mutation", "graphql_operation", "Remove", "success"]);
    expect(record?.actor).toMatchObject({ id: "agent_1" });
  });

  it("leaves a failure where the client gets errors in an answer of status 200", async () => {
    const { result, record } = await run({ query: "{ secret { id } }" });
    expect(result.errors).toMatchObject([{ message: "forbidden", path: ["secret"] }]);
    expect(record).toMatchObject({
      action: "graphql.query",
      status: 200,
      outcome: "failure",
      metadata: { graphql_errors: 1 },
    });
  });

  it.each([
    ["Find", "graphql.query", { member: { id: "1" } }],
    ["Remove", "graphql.mutation", { removeMember: { id: "1" } }],
  ])("leaves the operation %s that the client names in a document of several", async (operationName, action, data) => {
    const query = "query Find { member(id: 1) { id } } mutation Remove { removeMember(id: 1) { id } }";
    const { result, record } = await run({ query, operationName });
    expect(result).toEqual({ data });
    expect(record && short(record)).toEqual([action, "graphql_operation", operationName, "success"]);
  });

  // The client sends no batches: GraphQL over HTTP has none, and servers that take them agree on an array.
  it("leaves a record for each operation of a batch", async () => {
    const requestId = randomUUID();
    const batch = [{ query: "{ member(id: 1) { id } }" }, { query: "mutation M { nope }" }];
    await (await post("/graphql", batch, { ...USER, "zp-rid": requestId })).text();
    const records = await recordsOf(requestId, 2);
    expect(records.map(short)).toEqual([
      ["graphql.query", "graphql_operation", "anonymous", "success"],
      ["graphql.mutation", "graphql_operation", "M", "failure"],
    ]);
  });
});

describe("JSON-RPC and bulk calls", () => {
  it("leave what cases and outcome rules say", async () => {
    const requestId = randomUUID();
    for (const method of ["ping", "users/delete", "users/forbidden", "users/broken"]) {
      await (
        await post("/rpc", { jsonrpc: "2.0", id: 1, method, params: { id: "u_1" } }, { "zp-rid": requestId })
      ).text();
    }
    expect((await recordsOf(requestId, 3)).map(short)).toEqual([
      ["user.deleted", "user", "u_1", "success"],
      ["rpc.called", "route", "/rpc", "denied"],
      ["rpc.called", "route", "/rpc", "failure"],
    ]);
  });

  it("leave one record for each item", async () => {
    const requestId = randomUUID();
    await (await post("/bulk", { items: [{ id: 9007199254740991 }, { id: "b" }] }, { "zp-rid": requestId })).text();
    expect((await recordsOf(requestId, 2)).map(short)).toEqual([
      ["member.removed", "member", "9007199254740991", "success"],
      ["member.removed", "member", "b", "success"],
    ]);
  });
});

describe("values", () => {
  /** Sends headers as they are given: one of several values goes out as several headers. */
  async function send(headers: Readonly<Record<string, string | string[]>>): Promise<AuditRecord | undefined> {
    const requestId = randomUUID();
    const body = '{"id":9007199254740993}';
    const all = { "content-type": "application/json", "content-length": body.length, "zp-rid": requestId, ...headers };
    await new Promise((resolve, reject) => {
      const url = `${gateway.url}/values/%6Dem_7%2F1?tag=a&tag=b`;
      const request = httpRequest(url, { method: "POST", headers: all, agent: false }, (response) => {
        response.resume().on("end", resolve);
      });
      request.on("error", reject).end(body);
    });
    return (await recordsOf(requestId, 1))[0];
  }

  it("are decoded, exact and chosen as the gateway does", async () => {
    expect(await send({ ...USER, "x-org": "org_sent" })).toMatchObject({
      organization: "org_sent",
      targets: [{ id: "mem_7/1", type: "thing" }],
      metadata: { big: "9007199254740993", tag: "b", first: "a", org: "org_sent" },
    });
  });

  it("of a header that was sent twice, or by a stranger, choose no organization", async () => {
    const twice = await send({ ...USER, "x-org": ["org_a", "org_b"] });
    expect(twice).toMatchObject({ organization: "org_default", missing: ["$header.x-org"] });
    expect(twice?.metadata).not.toHaveProperty("org");
    expect(await send({ "x-org": "org_victim" })).toMatchObject({
      organization: "org_default",
      metadata: { org: "org_victim" },
    });
  });
});

describe("a stream", () => {
  const call = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "x" } });
  const PARTS = [
    ": opened\n\n",
    'data: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n',
    'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n',
    ": later\n\n",
  ];

  /** Sends each part only after the client has got the one before it, so that a part that is held back holds up everything. */
  async function follow(path: string, requestId: string): Promise<string> {
    const headers = { ...USER, "content-type": "application/json", "zp-rid": requestId };
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const request = httpRequest(gateway.url + path, { method: "POST", headers, agent: false }, (response) => {
      let got = "";
      let sent = 0;
      const next = () => {
        const part = PARTS[sent];
        sent += 1;
        if (part !== undefined) origin.sendPart(part, sent === PARTS.length);
      };
      response.on("data", (chunk: Buffer) => {
        got += chunk.toString();
        if (got === PARTS.slice(0, sent).join("")) next();
      });
      response.on("end", () => resolve(got));
      response.on("error", reject);
      next();
    });
    request.on("error", reject);
    request.end(call);
    return promise;
  }

  it.each(["/plain/parts", "/parts", "/durable/parts"])(
    "leaves %s part by part as the origin sends it",
    async (path) => {
      const requestId = randomUUID();
      expect(await follow(path, requestId)).toBe(PARTS.join(""));
      if (path === "/plain/parts") return;
      // A durable route has sent a record of another stage before, which may say success as well.
      const outcomes = await sink.waitForRecords((one) => one.requestId === requestId && one.stage === "outcome");
      expect(outcomes.map(short)).toEqual([["mcp.tool_called", "mcp_tool", "x", "success"]]);
    },
  );
});
