import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isEventId, eventIdTimeMs } from "../../shared/event-id.ts";
import { startStack, type Stack } from "../../dev/stack.ts";
import type { StoredEvent } from "../../dev/workos/server.ts";
import { sdkCreateEventRequest } from "../contract/sdk-wire.ts";

const ORGANIZATION = "org_01EHWNCE74X7JSDV0X3SZ3KJNY";
const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ organization: ORGANIZATION });
});
afterAll(() => stack.stop());

/** Sends one request through the gateway and answers the one event that it leaves. */
async function eventOf(
  path: string,
  init: { method: string; headers: Record<string, string>; body?: string },
  requestId: string,
) {
  const beforeMs = Date.now();
  const response = await fetch(stack.gateway.url + path, {
    ...init,
    headers: { ...init.headers, "zp-rid": requestId },
    redirect: "manual",
  });
  const body = await response.text();
  const afterMs = Date.now();
  const found = () => stack.workos.events().filter(({ event }) => event.metadata["request_id"] === requestId);
  while (found().length === 0) await wait(10);
  const events = found();
  expect(events).toHaveLength(1);
  return { response, body, beforeMs, afterMs, stored: events[0] as StoredEvent };
}

describe("a record's way from the gateway to the stored event", () => {
  it("ends, field by field, as what the official SDK would send for the same event", async () => {
    const { stored, response, beforeMs, afterMs } = await eventOf(
      "/v1/teams/team_1/members",
      {
        method: "POST",
        headers: {
          authorization: "Bearer ada",
          "content-type": "application/json",
          "user-agent": "path-test/1.0",
          traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01`,
        },
        body: JSON.stringify({ email: "grace@example.com", role: "member" }),
      },
      "11111111-1111-4111-8111-111111111111",
    );
    expect(response.status).toBe(201);
    const {
      event_id: eventId,
      isolate_id,
      duration_ms,
      sequence,
      policy_version,
      gateway_build,
      ...metadata
    } = stored.event.metadata;
    const occurredAtMs = eventIdTimeMs(String(eventId)) as number;
    expect(isEventId(eventId)).toBe(true);
    expect(occurredAtMs).toBeGreaterThanOrEqual(beforeMs);
    expect(occurredAtMs).toBeLessThanOrEqual(afterMs);
    expect([
      typeof isolate_id,
      typeof duration_ms,
      typeof sequence,
      typeof policy_version,
      typeof gateway_build,
    ]).toEqual(["string", "number", "number", "string", "string"]);
    expect(metadata).toEqual({
      assurance: "best-effort",
      credential_kind: "bearer",
      gateway_environment: "local",
      http_method: "POST",
      http_route: "/v1/teams/{teamId}/members",
      http_status: 201,
      outcome: "success",
      record_v: 1,
      request_id: "11111111-1111-4111-8111-111111111111",
      role: "member",
      trace_id: TRACE_ID,
    });
    const expected = {
      organization_id: ORGANIZATION,
      event: {
        action: "member.invited",
        occurred_at: new Date(occurredAtMs).toISOString(),
        actor: { id: "usr_ada", type: "user", name: "Ada Lovelace", metadata: { role: "admin" } },
        targets: [
          { id: "team_1", type: "team" },
          { id: "mem_7", type: "member", name: "grace@example.com" },
        ],
        context: { location: "127.0.0.1", user_agent: "path-test/1.0" },
        metadata: stored.event.metadata,
      },
    };
    const sdk = await sdkCreateEventRequest(expected, String(eventId), stack.workos.apiKey);
    expect(JSON.parse(sdk.body)).toEqual({ organization_id: stored.organization_id, event: stored.event });
    expect(sdk.headers["idempotency-key"]).toBe(stored.idempotency_key);
    const request = stack.workos.requests().find(({ event_id }) => event_id === eventId);
    expect({ method: request?.method, path: request?.path }).toEqual({ method: sdk.method, path: sdk.path });
    // What the SDK authenticates and declares with, ours does too.
    for (const name of ["authorization", "content-type", "idempotency-key"]) {
      expect(request?.header_names.map((header) => header.toLowerCase())).toContain(name);
    }
  });

  it("carries nothing of a body or a header that was not selected", async () => {
    const { stored } = await eventOf(
      "/v1/api-keys",
      {
        method: "POST",
        headers: { authorization: "Bearer ada", "content-type": "application/json", cookie: "sid=planted-cookie" },
        body: JSON.stringify({ label: "ci", password: "planted-password" }),
      },
      "22222222-2222-4222-8222-222222222222",
    );
    expect(stored.event.targets).toEqual([{ id: "key_42", type: "api_key", name: "ci" }]);
    expect(JSON.stringify(stored)).not.toMatch(/planted|tsk_example|Bearer/);
  });

  it.each([
    ["a redirect", "GET", "/v1/billing/invoices/inv_5", 302, "success", "durable"],
    ["no content", "DELETE", "/v1/teams/team_1/members/mem_7", 204, "success", "durable"],
    ["a later policy's 429", "POST", "/v1/api-keys/key_42/rotations", 429, "failure", "best-effort"],
    ["a handler that throws", "GET", "/v1/reports/rep_1", 500, "failure", "best-effort"],
    ["a required read", "GET", "/v1/secrets/database", 200, "success", "required"],
  ])("records %s as what the caller got", async (name, method, path, status, outcome, assurance) => {
    const { stored, response } = await eventOf(
      path,
      { method, headers: { authorization: "Bearer ada" } },
      name.replaceAll(" ", "-"),
    );
    expect(response.status).toBe(status);
    expect(stored.event.metadata).toMatchObject({ http_status: status, outcome });
    expect(stored.event.metadata["assurance"]).toBe(name === "a redirect" ? "best-effort" : assurance);
  });

  it("is one event where the connection breaks after WorkOS has stored it", async () => {
    stack.workos.faults.add({ reset: "after_commit", times: 1 });
    const { stored } = await eventOf("/v1/session", { method: "GET", headers: {} }, "after-commit");
    // WorkOS had stored it when the connection broke; the retry repeats the key, and WorkOS answers what it stored.
    await stack.queue.idle();
    stack.clock.advance(61_000);
    await stack.queue.idle();
    const requests = () =>
      stack.workos.requests().filter(({ idempotency_key }) => idempotency_key === stored.idempotency_key);
    expect(requests().map(({ outcome }) => outcome)).toEqual(["committed", "replayed"]);
    expect(requests()[1]?.same_body).toBe(true);
    expect(stack.workos.events().filter(({ event }) => event.metadata["request_id"] === "after-commit")).toHaveLength(
      1,
    );
  });
});
