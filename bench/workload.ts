/**
 * The workload of the byte and CPU figures: a business API called from browsers, as an edge gateway sees it. Every draw comes from a
 * seeded generator, so that two runs measure the same requests.
 */
import type { GatewayRequest, GatewayRoute } from "../policy/gateway.ts";

/** What a reader must know of the workload, in one sentence. */
export const WORKLOAD_NOTE =
  "Workload: eight operations of an API with `x-audit` (action, one target from a path parameter); the organization from the user's " +
  "data; 500 users with a role, of 50 organizations whose sizes fall off as 1/rank, all with WorkOS-style ids; twenty page views open at a time, each " +
  "of one user with one address and one of nine current browser user agents, making one to five calls; a bearer token, IPv4 or IPv6 with " +
  "country, region and city, UUID request ids, the gateway's environment and build named.";

const ORGANIZATIONS = 50;
const USERS = 500;
/** Page views under way at a time, and the most calls of one. */
const OPEN_VIEWS = 20;
const VIEW_MAX_CALLS = 5;

const USER_AGENTS: readonly string[] = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
];

const PLACES = [
  { country: "US", region: "California", city: "San Francisco" },
  { country: "US", region: "New York", city: "New York" },
  { country: "DE", region: "Berlin", city: "Berlin" },
  { country: "GB", region: "England", city: "London" },
  { country: "FR", region: "Île-de-France", city: "Paris" },
] as const;

type Operation = readonly [method: string, path: string, operationId: string, action: string, targetType: string];

const OPERATIONS: readonly Operation[] = [
  ["POST", "/v1/teams/{id}/members", "inviteMember", "member.invited", "team"],
  ["DELETE", "/v1/members/{id}", "removeMember", "member.removed", "member"],
  ["PATCH", "/v1/members/{id}", "changeRole", "member.role_changed", "member"],
  ["POST", "/v1/projects/{id}/keys", "createKey", "api_key.created", "project"],
  ["GET", "/v1/documents/{id}", "readDocument", "document.read", "document"],
  ["PUT", "/v1/documents/{id}", "writeDocument", "document.updated", "document"],
  ["POST", "/v1/invoices/{id}/refunds", "refundInvoice", "invoice.refunded", "invoice"],
  ["PUT", "/v1/settings/{id}", "changeSetting", "setting.changed", "setting"],
];

export interface WorkloadOptions {
  readonly traceparent: boolean;
  /** Adds `x-audit` metadata of five selectors, one of them of the body. */
  readonly selectors?: boolean;
}

export interface Call {
  readonly route: GatewayRoute;
  readonly request: GatewayRequest;
  readonly requestId: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly status: number;
  readonly durationMs: number;
}

/** Draws the requests of the workload, one after another. */
export function makeWorkload({ traceparent, selectors = false }: WorkloadOptions, seed = 1): () => Call {
  const draw = generator(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(draw() * list.length)] as T;
  const nextView = makeViews(draw, pick);
  const routes = OPERATIONS.map((operation) => [operation, routeOf(operation, selectors)] as const);
  return () => {
    const view = nextView();
    const [[method, path], route] = pick(routes);
    const params = { id: ulidLike("", draw).slice(0, 16).toLowerCase() };
    const query: Record<string, string> = selectors ? { source: pick(["web", "import"]) } : {};
    const headers: Record<string, string> = {
      "user-agent": view.userAgent,
      authorization: view.authorization,
      accept: "application/json",
      "content-type": "application/json",
      ...(traceparent ? { traceparent: `00-${hex(32, draw)}-${hex(16, draw)}-01` } : {}),
      ...(selectors ? { "x-client-version": "4.17.2" } : {}),
    };
    const search = selectors ? `?source=${query["source"]}` : "";
    const url = `https://api.example.com${path.replace("{id}", params.id)}${search}`;
    const body = method === "GET" || method === "DELETE" ? undefined : JSON.stringify(BODY);
    // As clients send it: a request with a body but without a length would count as chunked.
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const request = new Request(url, {
      method,
      headers: { ...headers, ...length },
      ...(body === undefined ? {} : { body }),
    });
    return {
      route,
      request: Object.assign(request, { user: view.user, params, query }),
      requestId: uuid(draw),
      properties: view.properties,
      status: draw() < 0.9 ? 200 : pick([400, 403, 404, 500]),
      durationMs: Math.floor(5 + draw() * draw() * 400),
    };
  };
}

interface View {
  readonly user: { readonly sub: string; readonly data: Readonly<Record<string, string>> };
  readonly userAgent: string;
  readonly authorization: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Draws the page view that the next call belongs to. */
function makeViews(draw: () => number, pick: <T>(list: readonly T[]) => T): () => View {
  const organizations = Array.from({ length: ORGANIZATIONS }, () => ulidLike("org_", draw));
  const users = Array.from({ length: USERS }, () => ({
    sub: ulidLike("user_", draw),
    data: {
      orgId: organizations[byRank(ORGANIZATIONS, draw)] ?? "",
      role: pick(["admin", "member"]),
      plan: pick(["team", "enterprise"]),
    },
  }));
  const open = (): { readonly view: View; left: number } => ({
    view: {
      user: pick(users),
      userAgent: pick(USER_AGENTS),
      authorization: `Bearer ${hex(64, draw)}`,
      properties: { ip: ip(draw), ...pick(PLACES) },
    },
    left: Math.ceil(draw() * VIEW_MAX_CALLS),
  });
  const views = Array.from({ length: OPEN_VIEWS }, open);
  return () => {
    const index = Math.floor(draw() * views.length);
    const found = views[index] ?? open();
    found.left -= 1;
    if (found.left <= 0) views[index] = open();
    return found.view;
  };
}

/** An index below `count` whose chance falls off as 1/rank. */
function byRank(count: number, draw: () => number): number {
  const total = Array.from({ length: count }, (_, i) => 1 / (i + 1)).reduce((sum, weight) => sum + weight, 0);
  let left = draw() * total;
  for (let i = 0; i < count; i++) {
    left -= 1 / (i + 1);
    if (left <= 0) return i;
  }
  return count - 1;
}

const BODY = { role: "admin", email: "someone@example.com", note: "please join us", tags: ["a", "b"] };

function routeOf([method, path, operationId, action, type]: Operation, selectors: boolean): GatewayRoute {
  const metadata = {
    role: "$user.data.role",
    plan: "$user.data.plan",
    source: "$query.source",
    client: "$header.x-client-version",
    ...(method === "GET" || method === "DELETE" ? { status: "$response.status" } : { new_role: "$body.role" }),
  };
  const xAudit = { action, targets: [{ id: "$params.id", type }], ...(selectors ? { metadata } : {}) };
  const operation = { operationId, "x-audit": xAudit };
  return { path, raw: () => operation };
}

/** The options of the policy's entry that go with the workload. */
export const POLICY_OPTIONS = {
  qstashUrl: "https://qstash.upstash.io",
  qstashToken: "a-token",
  workerUrl: "https://audit-forwarder.example.workers.dev",
  ingestKey: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  organizationId: "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
  defaults: { organization: "$user.data.orgId" },
} as const;

export const GATEWAY_ENVIRONMENT = { ZUPLO_ENVIRONMENT_NAME: "production", ZUPLO_BUILD_ID: "01J0-build-3f2a" } as const;

/** Mulberry32, public domain: small, and the same numbers everywhere. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function hex(length: number, draw: () => number): string {
  return Array.from({ length }, () => Math.floor(draw() * 16).toString(16)).join("");
}

function uuid(draw: () => number): string {
  const digits = hex(32, draw);
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-a$4-$5");
}

function ulidLike(prefix: string, draw: () => number): string {
  const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  return `${prefix}01${Array.from({ length: 24 }, () => alphabet.charAt(Math.floor(draw() * 32))).join("")}`;
}

function ip(draw: () => number): string {
  const byte = () => Math.floor(1 + draw() * 254);
  if (draw() < 0.7) return [byte(), byte(), byte(), byte()].join(".");
  return `2001:db8:${hex(4, draw)}:${hex(4, draw)}:${hex(4, draw)}:${hex(4, draw)}:${hex(4, draw)}:${hex(4, draw)}`;
}
