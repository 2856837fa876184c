/** The servers behind forwarding routes: a real MCP server, a GraphQL server, JSON-RPC, and a stream that a test moves on part by part. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { McpServer, ResourceTemplate } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { buildSchema, graphql } from "graphql";
import * as z from "zod";

export interface ProtocolOrigin {
  readonly url: string;
  /** Sends the next part of the stream at `/parts`; the last ends it. */
  sendPart(text: string, isLast?: boolean): void;
  close(): Promise<void>;
}

export async function startProtocolOrigin(): Promise<ProtocolOrigin> {
  let parts: ServerResponse | undefined;
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://origin");
    if (pathname.endsWith("/parts")) {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      parts = response;
      return;
    }
    void answer(pathname, request, response, sessions);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    sendPart(text, isLast) {
      parts?.write(text);
      if (isLast) parts?.end();
    },
    async close() {
      for (const transport of sessions.values()) await transport.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  pathname: string,
  request: IncomingMessage,
  response: ServerResponse,
  sessions: Map<string, StreamableHTTPServerTransport>,
): Promise<void> {
  const body: unknown = request.method === "POST" ? await json(request) : undefined;
  if (pathname.endsWith("/graphql")) return answerGraphql(body, response);
  if (pathname.endsWith("/rpc")) return answerRpc(body, response);
  const known = sessions.get(String(request.headers["mcp-session-id"]));
  const transport = known ?? (await newTransport(pathname.endsWith("/mcp-json"), sessions));
  await transport.handleRequest(request, response, body);
}

async function newTransport(
  enableJsonResponse: boolean,
  sessions: Map<string, StreamableHTTPServerTransport>,
): Promise<StreamableHTTPServerTransport> {
  const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
    enableJsonResponse,
    sessionIdGenerator: () => `session-${sessions.size + 1}`,
    onsessioninitialized: (id) => void sessions.set(id, transport),
  });
  await mcpServer().connect(transport);
  return transport;
}

function mcpServer(): McpServer {
  const server = new McpServer({ name: "origin", version: "1.0.0" }, { capabilities: { logging: {} } });
  const text = (value: string) => ({ content: [{ type: "text" as const, text: value }] });
  server.registerTool("add", { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => text(String(a + b)));
  server.registerTool("fail", { inputSchema: {} }, () => ({ ...text("no such member"), isError: true }));
  server.registerTool("chatty", { inputSchema: {} }, async (_given, { sendNotification }) => {
    for (let i = 0; i < 5; i++) {
      await sendNotification({ method: "notifications/message", params: { level: "info", data: `step ${i}` } });
    }
    return text("done");
  });
  server.registerResource("note", new ResourceTemplate("note://{id}", { list: undefined }), {}, (uri) => ({
    contents: [{ uri: uri.href, text: "a note" }],
  }));
  server.registerPrompt("greet", { argsSchema: { name: z.string() } }, ({ name }) => ({
    messages: [{ role: "user", content: { type: "text", text: `Greet ${name}` } }],
  }));
  return server;
}

const schema = buildSchema(`
  type Member { id: ID! }
  type Query { member(id: ID!): Member secret: Member! }
  type Mutation { removeMember(id: ID!): Member }
`);
const rootValue = {
  member: ({ id }: { readonly id: string }) => ({ id }),
  removeMember: ({ id }: { readonly id: string }) => ({ id }),
  secret: () => {
    throw new Error("forbidden");
  },
};

interface GraphqlRequest {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
}

async function answerGraphql(body: unknown, response: ServerResponse): Promise<void> {
  const run = ({ query, variables, operationName }: GraphqlRequest) =>
    graphql({ schema, source: query, rootValue, variableValues: variables, operationName });
  const result = Array.isArray(body)
    ? await Promise.all((body as GraphqlRequest[]).map(run))
    : await run(body as GraphqlRequest);
  response.writeHead(200, { "content-type": "application/graphql-response+json" });
  response.end(JSON.stringify(result));
}

function answerRpc(body: unknown, response: ServerResponse): void {
  const { id, method } = body as { readonly id: unknown; readonly method: string };
  const error = { "users/forbidden": { code: -32001 }, "users/broken": { code: -32603 } }[method];
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ jsonrpc: "2.0", id, ...(error ? { error } : { result: {} }) }));
}
