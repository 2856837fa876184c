import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { WorkOS } from "@workos-inc/node";
import { expect, onTestFinished, test } from "vitest";
import type { EventBody } from "../../shared/event.ts";
import { sdkCreateEventRequest } from "./sdk-wire.ts";

const FULL: EventBody = {
  organization_id: "org_1",
  event: {
    action: "team.member_added",
    occurred_at: "2026-11-24T10:00:00.000Z",
    version: 2,
    actor: { id: "user_1", type: "user", name: "Ada", metadata: { role: "admin" } },
    targets: [{ id: "team_1", type: "team", name: "Core", metadata: { size: 3, open: true } }],
    context: { location: "203.0.113.9", user_agent: "curl/8" },
    metadata: { event_id: "e1" },
  },
};
const { version: _version, ...unversioned } = FULL.event;
const SMALL: EventBody = {
  organization_id: "org_1",
  event: { ...unversioned, actor: { id: "a", type: "user" }, context: { location: "x" }, metadata: {} },
};

test.each([
  ["every field", FULL],
  ["the least fields", SMALL],
])("an event with %s comes out as the same JSON", async (_name, event) => {
  const request = await sdkCreateEventRequest(event, "e1");
  expect(JSON.parse(request.body)).toEqual(JSON.parse(JSON.stringify(event)));
});

test("method, path, key and credential are the documented ones", async () => {
  const request = await sdkCreateEventRequest(FULL, "e1:r1", "sk_test_other");
  expect([request.method, request.path]).toEqual(["POST", "/audit_logs/events"]);
  expect(request.headers).toMatchObject({
    authorization: "Bearer sk_test_other",
    "content-type": "application/json",
    "idempotency-key": "e1:r1",
  });
});

test("the capture is what the SDK puts on a real socket", async () => {
  const seen = Promise.withResolvers<{ request: IncomingMessage; body: unknown }>();
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/json").end('{"success":true}');
    seen.resolve(json(request).then((body) => ({ request, body })));
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const { organization_id, event } = SMALL;
  const sdk = new WorkOS("sk_test_workos", { apiHostname: "127.0.0.1", port, https: false });
  await sdk.auditLogs.createEvent(
    organization_id,
    { ...event, targets: [...event.targets], occurredAt: new Date(event.occurred_at) },
    { idempotencyKey: "e1" },
  );
  const { request, body } = await seen.promise;
  const captured = await sdkCreateEventRequest(SMALL, "e1");
  expect(body).toEqual(JSON.parse(captured.body));
  expect([request.method, request.url]).toEqual([captured.method, captured.path]);
  expect(request.headers).toMatchObject(captured.headers);
});
