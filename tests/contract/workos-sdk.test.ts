import { WorkOS } from "@workos-inc/node";
import { expect, onTestFinished, test } from "vitest";
import { startWorkos, type WorkosOptions, type WorkosStandIn } from "../../dev/workos/server.ts";

interface Pair {
  readonly standIn: WorkosStandIn;
  readonly sdk: WorkOS;
}

async function started(options: WorkosOptions = {}, apiKey = "sk_test_workos"): Promise<Pair> {
  const standIn = await startWorkos(options);
  onTestFinished(() => standIn.stop());
  const sdk = new WorkOS(apiKey, { apiHostname: "127.0.0.1", port: standIn.port, https: false, maxRetries: 0 });
  return { standIn, sdk };
}

const EVENT = {
  action: "team.member_added",
  occurredAt: new Date("2026-11-24T10:00:00.000Z"),
  actor: { id: "user_1", type: "user", name: "Ada", metadata: { role: "admin" } },
  targets: [{ id: "team_1", type: "team" }],
  context: { location: "203.0.113.9", userAgent: "curl/8" },
  metadata: { event_id: "e1" },
};

test("the SDK's createEvent is stored as it was meant, with its key", async () => {
  const { standIn, sdk } = await started();
  await sdk.auditLogs.createEvent("org_1", EVENT, { idempotencyKey: "e1" });
  const { occurredAt: _at, context: _context, ...same } = EVENT;
  expect(standIn.events()).toMatchObject([
    {
      organization_id: "org_1",
      idempotency_key: "e1",
      event: {
        ...same,
        occurred_at: "2026-11-24T10:00:00.000Z",
        context: { location: "203.0.113.9", user_agent: "curl/8" },
      },
    },
  ]);
});

test("201 is as good for the SDK as 200", async () => {
  const { standIn, sdk } = await started({ successStatus: 201 });
  await sdk.auditLogs.createEvent("org_1", EVENT);
  expect([standIn.events().length, standIn.requests()[0]?.status]).toEqual([1, 201]);
});

test("one key sent twice by the SDK is one event; the SDK's own keys are two", async () => {
  const { standIn, sdk } = await started();
  await sdk.auditLogs.createEvent("org_1", EVENT, { idempotencyKey: "e1" });
  await sdk.auditLogs.createEvent("org_1", EVENT, { idempotencyKey: "e1" });
  expect(standIn.events()).toHaveLength(1);
  await sdk.auditLogs.createEvent("org_1", EVENT);
  await sdk.auditLogs.createEvent("org_1", EVENT);
  expect(standIn.events()).toHaveLength(3);
});

const thrown: [answer: string, status: number, name: string][] = [
  ["invalid_audit_log_event", 400, "BadRequestException"],
  ["unauthorized", 401, "UnauthorizedException"],
  ["organization_not_found", 404, "NotFoundException"],
  ["conflict", 409, "ConflictException"],
  ["validation_failed", 422, "UnprocessableEntityException"],
  ["rate_limited", 429, "RateLimitExceededException"],
];

test.each(thrown)("the SDK understands %s as %d %s", async (answer, status, name) => {
  const { standIn, sdk } = await started();
  await fetch(`${standIn.url}/__dev/faults`, { method: "POST", body: JSON.stringify({ answer }) });
  const failure = sdk.auditLogs.createEvent("org_1", EVENT);
  await expect(failure).rejects.toMatchObject({ status, name, requestID: expect.stringMatching(/^req_\d+$/) });
});

test("a schema registered by the SDK is listed by it and judges its events", async () => {
  const { standIn, sdk } = await started();
  const schema = {
    action: "team.member_added",
    actor: { metadata: { role: "string" } },
    targets: [{ type: "team", metadata: { plan: "string" } }],
    metadata: { event_id: "string", count: "number", fresh: "boolean" },
  } as const;
  const { action: _action, ...shape } = schema;
  const created = await sdk.auditLogs.createSchema({ ...schema, targets: [...schema.targets] });
  expect(created).toMatchObject({ object: "audit_log_schema", version: 1, ...shape });
  await sdk.auditLogs.createSchema({ action: schema.action, targets: [{ type: "user" }] });
  const list = await sdk.auditLogs.listSchemas(schema.action);
  expect(list.data.map((one) => [one.version, one.targets[0]?.type])).toEqual([
    [2, "user"],
    [1, "team"],
  ]);
  await sdk.auditLogs.createEvent("org_1", EVENT);
  await expect(sdk.auditLogs.createEvent("org_1", { ...EVENT, version: 2 })).rejects.toMatchObject({ status: 400 });
  const wrong = { ...EVENT, metadata: { count: "three" } };
  await expect(sdk.auditLogs.createEvent("org_1", wrong)).rejects.toMatchObject({ code: "invalid_audit_log" });
  expect(standIn.events()).toHaveLength(1);
});

test("the SDK walks a list of 250 schema versions to its end", async () => {
  const { standIn, sdk } = await started();
  for (let i = 0; i < 250; i++)
    standIn.registry.register("a.b", { targets: [{ type: "team" }] }, "2026-11-24T10:00:00.000Z");
  const list = await sdk.auditLogs.listSchemas("a.b");
  const all = await list.autoPagination();
  expect(all.map((schema) => schema.version)).toEqual(Array.from({ length: 250 }, (_, i) => 250 - i));
});

test("the SDK reads organizations and exports", async () => {
  const { sdk } = await started({ organizations: ["org_1"] });
  expect(await sdk.organizations.getOrganization("org_1")).toMatchObject({ id: "org_1", domains: [] });
  await expect(sdk.organizations.getOrganization("org_2")).rejects.toMatchObject({ status: 404 });
  await sdk.auditLogs.createEvent("org_1", { ...EVENT, occurredAt: new Date() });
  const range = { organizationId: "org_1", rangeStart: new Date(Date.now() - 60_000), rangeEnd: new Date() };
  const made = await sdk.auditLogs.createExport(range);
  const ready = await sdk.auditLogs.getExport(made.id);
  const csv = await (await fetch(String(ready.url))).text();
  expect(csv).toContain("203.0.113.9");
});

test("the SDK with a rotated key gets 401", async () => {
  const { sdk } = await started({ apiKey: "sk_test_other" });
  await expect(sdk.auditLogs.createEvent("org_1", EVENT)).rejects.toMatchObject({ status: 401 });
});
