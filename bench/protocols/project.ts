/** The routes of the protocol benchmark: an MCP server over an API route and a GraphQL endpoint, each with and without our policy. */
import type { RouteCall } from "../gateway/measure.ts";
import { filesWith } from "../gateway/project.ts";

export const PROTOCOLS = ["mcp", "graphql"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export const VARIANTS = ["none", "control", "ours"] as const;
export type Variant = (typeof VARIANTS)[number];

/** A route: the protocol that it serves and the policy on it. */
export type ProtocolRoute = `${Protocol}-${Variant}`;

export const PROTOCOL_ROUTES: readonly ProtocolRoute[] = PROTOCOLS.flatMap((protocol) =>
  VARIANTS.map((variant) => `${protocol}-${variant}` as const),
);

const BODIES: Readonly<Record<Protocol, unknown>> = {
  mcp: {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "inviteMember", arguments: { pathParams: { id: "mem_7" }, body: { role: "admin" } } },
  },
  graphql: {
    query: "mutation Rename($id: ID!) { renameMember(id: $id) { id } }",
    variables: { id: "mem_7" },
  },
};

/** The request to a route. */
export function callOf(route: ProtocolRoute): RouteCall {
  return { path: pathOf(route), body: BODIES[protocolOf(route)] };
}

/** The files of the Zuplo project. */
export function projectFiles(): Promise<Readonly<Record<string, string>>> {
  const routes = PROTOCOL_ROUTES.map((route) => [pathOf(route), { post: operation(route) }] as const);
  return filesWith({ "/v1/members/{id}/invitations": { post: TOOL }, ...Object.fromEntries(routes) });
}

function protocolOf(route: ProtocolRoute): Protocol {
  return route.startsWith("mcp-") ? "mcp" : "graphql";
}

function pathOf(route: ProtocolRoute): string {
  return `/v1/${route}`;
}

/** The API route behind the tool; it has no policy of ours, so that only the tool call differs. */
const TOOL = {
  operationId: "inviteMember",
  summary: "Invites a member",
  parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
  requestBody: {
    content: { "application/json": { schema: { type: "object", properties: { role: { type: "string" } } } } },
  },
  "x-zuplo-route": {
    corsPolicy: "none",
    handler: { module: "$import(./modules/bench)", export: "answer" },
    policies: { inbound: ["fake-auth"], outbound: [] },
  },
};

const HANDLERS: Readonly<Record<Protocol, object>> = {
  mcp: {
    module: "$import(@zuplo/runtime)",
    export: "mcpServerHandler",
    options: {
      name: "bench",
      version: "1.0.0",
      operations: [{ file: "./config/routes.oas.json", id: TOOL.operationId }],
    },
  },
  graphql: { module: "$import(./modules/bench)", export: "answerGraphql" },
};

function operation(route: ProtocolRoute) {
  const protocol = protocolOf(route);
  const inbound = route.endsWith("-ours") ? ["audit-log", "fake-auth"] : ["fake-auth"];
  return {
    operationId: route,
    "x-audit": { preset: protocol },
    "x-zuplo-route": { corsPolicy: "none", handler: HANDLERS[protocol], policies: { inbound, outbound: [] } },
  };
}
