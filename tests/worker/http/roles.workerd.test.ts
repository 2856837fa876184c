/** What each role may call, on every route for operators. */
import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { roleAllows, type Role } from "../../../shared/access-tokens.ts";
import type { RefusedCall } from "../../../worker/http/caller.ts";
import { pipeline } from "../../../worker/http/pipeline.ts";
import { ADMIN_TOKEN, workerEnv } from "../support/api.workerd.ts";
import { OPERATORS } from "../support/tokens.ts";

const { ann, bob, cleo, dan, eve } = OPERATORS;
const worker = exports as unknown as { default: { fetch: typeof fetch } };

beforeAll(() => {
  vi.spyOn(globalThis, "fetch").mockImplementation(() => Promise.resolve(new Response("", { status: 503 })));
});

async function call(method: string, path: string, token: string) {
  const response = await worker.default.fetch(`https://worker.example${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(method === "POST" ? { body: "{}" } : {}),
  });
  const text = await response.text();
  return { status: response.status, json: (text.startsWith("{") ? JSON.parse(text) : {}) as Record<string, unknown> };
}

const ID = "019ab0c4-3f1e-7c55-9d3e-0f6d2c1b0a07";

/** What is asked for is looked for only once the role is right. */
const ROUTES: readonly (readonly [method: string, path: string, needed: Role])[] = [
  ["GET", "/api/me", "read"],
  ["GET", "/metrics", "read"],
  ["GET", "/api/dead-letters", "read"],
  ["GET", "/api/dead-letters?group_by=class", "read"],
  ["GET", "/api/dead-letters?whole=true", "operate"],
  ["GET", "/api/dead-letters?whole=true&reveal=true", "operate"],
  ["GET", `/api/dead-letters/${ID}`, "read"],
  ["GET", `/api/dead-letters/${ID}?reveal=true`, "operate"],
  ["POST", `/api/dead-letters/${ID}/discard`, "operate"],
  ["POST", "/api/dead-letters/discard", "operate"],
  ["POST", "/api/dead-letters/import", "admin"],
  ["GET", "/api/incidents", "read"],
  ["GET", "/api/metrics", "read"],
  ["GET", "/api/replays", "read"],
  ["POST", "/api/replays", "operate"],
  ["GET", "/api/replays/rp_1", "read"],
  ["GET", "/api/replays/rp_1/items", "read"],
  ["POST", "/api/replays/rp_1/pause", "operate"],
  ["POST", "/api/replays/rp_1/resume", "operate"],
  ["POST", "/api/replays/rp_1/cancel", "operate"],
  ["GET", `/api/events/${ID}`, "read"],
  ["GET", "/api/events?request_id=r1", "read"],
  ["GET", "/api/verify", "read"],
  ["POST", "/api/pause", "operate"],
  ["POST", "/api/resume", "operate"],
];

const CALLS = ROUTES.flatMap(([method, path, needed]) =>
  [ann, bob, cleo].map(({ role, token }) => ({ method, path, needed, role, token })),
);

it.each(CALLS.filter(({ role, needed }) => roleAllows(role, needed)))(
  "$method $path is for the role $needed, so that $role may",
  async ({ method, path, token }) => {
    expect([401, 403]).not.toContain((await call(method, path, token)).status);
  },
);

it.each(CALLS.filter(({ role, needed }) => !roleAllows(role, needed)))(
  "$method $path is for the role $needed, so that $role may not",
  async ({ method, path, needed, role, token }) => {
    const { status, json } = await call(method, path, token);
    expect(status).toBe(403);
    expect(json).toMatchObject({ code: "forbidden", title: "Forbidden" });
    expect(json["detail"]).toContain(`needs the role "${needed}"; your role is "${role}"`);
  },
);

describe("GET /api/me", () => {
  it.each([
    ["the holder of a listed token", bob.token, { name: "bob", role: "operate", environment: "test" }],
    ["a token in its last days", cleo.token, { name: "cleo", role: "admin", environment: "test" }],
    ["AUDIT_ADMIN_TOKEN", ADMIN_TOKEN, { name: "admin", role: "admin", environment: "test" }],
  ])("names %s, the role and the environment", async (_, token, me) => {
    expect(await call("GET", "/api/me", token)).toEqual({ status: 200, json: me });
  });

  it.each([
    ["has expired", dan.token, 'the token in "authorization" has expired'],
    ["is too short to be a token, although it is listed", eve.token, 'the token in "authorization" is wrong'],
    ["is one letter off", bob.token.replace("bob", "rob"), 'the token in "authorization" is wrong'],
    ["is longer than a listed one", `${bob.token}0`, 'the token in "authorization" is wrong'],
  ])("refuses a token that %s with 401", async (_, token, detail) => {
    expect(await call("GET", "/api/me", token)).toMatchObject({ status: 401, json: { code: "unauthorized", detail } });
  });

  it("refuses the hash in place of the token", async () => {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(cleo.token));
    const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    expect((await call("GET", "/api/me", hex)).status).toBe(401);
  });
});

it("a role that is too low is told to whoever counts refusals", async () => {
  const refusals: string[] = [];
  const handle = pipeline(
    [{ method: "POST", path: "/x", access: "admin", handle: () => new Response() }],
    ({ error }) => void refusals.push((error as RefusedCall).reason),
  );
  const headers = { authorization: `Bearer ${bob.token}` };
  const request = new Request("https://worker.example/x", { method: "POST", headers });
  const execution = { waitUntil: () => undefined } as unknown as ExecutionContext;
  expect((await handle(request, workerEnv, execution)).status).toBe(403);
  expect(refusals).toEqual(["role_too_low"]);
});
