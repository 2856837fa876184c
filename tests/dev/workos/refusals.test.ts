import { expect, test } from "vitest";
import { call, eventBody, postEvent, started } from "./harness.ts";

const many = (count: number): unknown[] => Array.from({ length: count }, (_, i) => ({ id: `t${i}`, type: "team" }));
const keys = (count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]));
const without = (field: string): unknown => {
  const body = eventBody("e1") as { event: Record<string, unknown> };
  return { ...body, event: Object.fromEntries(Object.entries(body.event).filter(([name]) => name !== field)) };
};

const missing: [string, unknown, string][] = [
  ["no organization", { event: eventBody("e1")["event"] }, "organization_id"],
  ["no event", { organization_id: "org_1" }, "event"],
  ["no action", without("action"), "event.action"],
  ["no occurred_at", without("occurred_at"), "event.occurred_at"],
  ["no actor", without("actor"), "event.actor"],
  ["no targets", without("targets"), "event.targets"],
  ["no context", without("context"), "event.context"],
  ["no actor id", eventBody("e1", { actor: { type: "user" } }), "event.actor.id"],
  ["no target type", eventBody("e1", { targets: [{ id: "t" }] }), "event.targets.0.type"],
  ["no location", eventBody("e1", { context: {} }), "event.context.location"],
];

test.each(missing)("%s is 422 and names the field", async (_name, body, field) => {
  const standIn = await started();
  const got = await postEvent(standIn, body);
  expect(got.status).toBe(422);
  expect(got.json).toEqual({ message: "Validation failed.", errors: [{ code: "required", field }] });
  expect(standIn.events()).toEqual([]);
});

const wrong: [string, unknown, string][] = [
  ["a date without time", eventBody("e1", { occurred_at: "2026-11-24" }), "/occurred_at"],
  ["a time without zone", eventBody("e1", { occurred_at: "2026-11-24T10:00:00" }), "/occurred_at"],
  ["a null user agent", eventBody("e1", { context: { location: "x", user_agent: null } }), "/context/user_agent"],
  ["a version that is no integer", eventBody("e1", { version: "1" }), "/version"],
  ["targets that are no list", eventBody("e1", { targets: {} }), "/targets"],
  ["51 metadata keys", eventBody("e1", { metadata: keys(51) }), "/metadata"],
  ["a key of 41 characters", eventBody("e1", { metadata: { ["k".repeat(41)]: "x" } }), "/metadata"],
  ["a key with a dot", eventBody("e1", { metadata: { "http.status": 200 } }), "/metadata"],
  ["a value of 501 code points", eventBody("e1", { metadata: { k: "😀".repeat(501) } }), "/metadata/k"],
  ["a null value", eventBody("e1", { metadata: { k: null } }), "/metadata/k"],
  ["a nested value", eventBody("e1", { metadata: { k: {} } }), "/metadata/k"],
  [
    "actor metadata beyond the limits",
    eventBody("e1", { actor: { id: "u", type: "user", metadata: keys(51) } }),
    "/actor/metadata",
  ],
  ["an organization that is no string", { ...eventBody("e1"), organization_id: 5 }, "/organization_id"],
];

test.each(wrong)("%s is 400 and names the place", async (_name, body, instancePath) => {
  const standIn = await started();
  const got = await postEvent(standIn, body);
  expect(got.status).toBe(400);
  expect(got.json).toEqual({
    message: "Invalid Audit Log event.",
    code: "invalid_audit_log_event",
    errors: [{ instancePath }],
  });
  expect(standIn.events()).toEqual([]);
});

const accepted: [string, unknown][] = [
  ["50 metadata keys", eventBody("e1", { metadata: keys(50) })],
  ["a key of 40 characters", eventBody("e1", { metadata: { ["k".repeat(40)]: "x" } })],
  ["a value of 500 emoji", eventBody("e1", { metadata: { k: "😀".repeat(500) } })],
  ["a time with an offset", eventBody("e1", { occurred_at: "2026-11-24T10:00:00+02:00" })],
  ["20 targets", eventBody("e1", { targets: many(20) })],
  ["unknown fields", eventBody("e1", { colour: "green" })],
];

test.each(accepted)("%s is accepted", async (_name, body) => {
  const standIn = await started();
  const got = await postEvent(standIn, body);
  expect([got.status, got.json]).toEqual([200, { success: true }]);
  expect(standIn.events()).toHaveLength(1);
});

test("21 targets are 400 with ajv's error, refused data included, although the description allows them", async () => {
  const standIn = await started();
  const got = await postEvent(standIn, eventBody("e1", { targets: many(21) }));
  expect(got.status).toBe(400);
  expect(got.json.code).toBe("invalid_audit_log");
  expect(got.json.errors[0]).toMatchObject({ instancePath: "/targets", keyword: "maxItems", params: { limit: 20 } });
  expect(got.json.errors[0].data).toHaveLength(21);
});

test("a body of 100 kB passes the cap and one byte more is 413, even with a wrong key", async () => {
  const standIn = await started();
  const base = JSON.stringify(eventBody("e1"));
  const padded = (bytes: number): string => base + " ".repeat(bytes - base.length);
  expect((await postEvent(standIn, padded(102_400))).status).toBe(200);
  const got = await postEvent(standIn, padded(102_401), { apiKey: "sk_wrong" });
  expect([got.status, got.json.message]).toEqual([413, "request entity too large"]);
  expect(standIn.events()).toHaveLength(1);
});

const unreadable = ["", "{", '{"organization_id":', "<html>", "\u0000"];

test.each(unreadable)("the body %j is 400 with a plain message", async (body) => {
  const standIn = await started();
  const got = await postEvent(standIn, body);
  expect(got.status).toBe(400);
  expect(got.json.message).toBeTypeOf("string");
});

test.each(["[]", "5", '"text"', "null", '{"event":"x","organization_id":"org_1"}'])(
  "the JSON %s is refused, not a crash",
  async (body) => {
    const standIn = await started();
    expect([400, 422]).toContain((await postEvent(standIn, body)).status);
    expect((await postEvent(standIn, eventBody("e1"))).status).toBe(200);
  },
);

test("no key and a wrong key are 401, a key without the permission is 403, the accepted one passes", async () => {
  const standIn = await started({ apiKey: "sk_test_a" });
  standIn.keys.restrict("sk_test_reader");
  const statusWith = async (apiKey: string | null): Promise<number> =>
    (await postEvent(standIn, eventBody("e1"), { apiKey })).status;
  expect(await statusWith(null)).toBe(401);
  expect(await statusWith("sk_test_workos")).toBe(401);
  expect(await statusWith("")).toBe(401);
  expect(await statusWith("sk_test_reader")).toBe(403);
  expect(await statusWith("sk_test_a")).toBe(200);
  standIn.keys.rotate("sk_test_b");
  expect(await statusWith("sk_test_a")).toBe(401);
  expect(await statusWith("sk_test_b")).toBe(200);
});

test("an organization that does not exist is 404 by name, on events and on its own pages", async () => {
  const standIn = await started({ organizations: ["org_1"] });
  const message = "Organization not found: 'org_2'.";
  for (const got of [
    await postEvent(standIn, eventBody("e1", {}, "org_2")),
    await call(standIn, "/organizations/org_2"),
    await call(standIn, "/organizations/org_2/audit_log_configuration"),
  ]) {
    expect([got.status, got.json]).toEqual([404, { message }]);
  }
  expect((await postEvent(standIn, eventBody("e1"))).status).toBe(200);
});

test("an endpoint that WorkOS does not have is 404 and stores nothing", async () => {
  const standIn = await started();
  expect((await call(standIn, "/audit_logs/events")).status).toBe(404);
  expect((await call(standIn, "/audit_logs/events/batch", [])).status).toBe(404);
  expect((await call(standIn, "/organizations/%zz")).status).toBe(400);
});

test("over the rate limit is 429 until the window has passed on the stand-in's clock", async () => {
  const standIn = await started({ rateLimit: { requests: 2, windowMs: 60_000, retryAfterSeconds: 30 } });
  const statuses = [];
  for (const id of ["e1", "e2", "e3"]) statuses.push((await postEvent(standIn, eventBody(id))).status);
  expect(statuses).toEqual([200, 200, 429]);
  const limited = await postEvent(standIn, eventBody("e4"));
  expect([limited.headers.get("retry-after"), limited.json.code]).toEqual(["30", "rate_limit_exceeded"]);
  standIn.clock.advance(60_000);
  expect((await postEvent(standIn, eventBody("e5"))).status).toBe(200);
});
