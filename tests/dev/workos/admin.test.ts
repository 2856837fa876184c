import { expect, test } from "vitest";
import { call, eventBody, postEvent, started, storedIds } from "./harness.ts";

const bare = { apiKey: null };

test("events and requests can be read from another process, from any point on", async () => {
  const standIn = await started();
  await postEvent(standIn, eventBody("e1"), { key: "e1" });
  await postEvent(standIn, eventBody("e2"));
  const all = await call(standIn, "/__dev/events", undefined, bare);
  expect(all.json).toEqual({ total: 2, events: JSON.parse(JSON.stringify(standIn.events())) });
  expect(all.json.events[0]).toMatchObject({ organization_id: "org_1", idempotency_key: "e1" });
  const later = await call(standIn, "/__dev/events?since=1", undefined, bare);
  expect(later.json.events).toMatchObject([{ event: { metadata: { event_id: "e2" } } }]);
  const requests = await call(standIn, "/__dev/requests?since=1", undefined, bare);
  expect([requests.json.total, requests.json.requests[0].status]).toEqual([2, 200]);
});

test("faults are set, listed and cleared", async () => {
  const standIn = await started();
  const fault = { match: { action: "team.member_added" }, answer: "unavailable" };
  expect((await call(standIn, "/__dev/faults", fault, bare)).status).toBe(201);
  expect((await call(standIn, "/__dev/faults", undefined, bare)).json).toEqual({ faults: [fault] });
  expect((await postEvent(standIn, eventBody("e1"))).status).toBe(503);
  await call(standIn, "/__dev/faults", undefined, { ...bare, method: "DELETE" });
  expect((await postEvent(standIn, eventBody("e1"))).status).toBe(200);
});

test("the clock moves, and the Date header with it", async () => {
  const standIn = await started({ clock: { now: () => Date.parse("2026-11-24T12:00:00.500Z") } });
  const moved = await call(standIn, "/__dev/clock", { advance_ms: -600_000 }, bare);
  expect(moved.json).toEqual({ now_ms: standIn.clock.now() });
  const got = await postEvent(standIn, eventBody("e1"));
  expect(got.headers.get("date")).toBe("Tue, 24 Nov 2026 11:50:00 GMT");
  expect(standIn.events()[0]?.received_at_ms).toBe(Date.parse("2026-11-24T11:50:00.500Z"));
});

test("the accepted key is rotated and others are restricted", async () => {
  const standIn = await started();
  await call(standIn, "/__dev/keys", { api_key: "sk_test_new", restricted: ["sk_test_reader"] }, bare);
  expect(standIn.apiKey).toBe("sk_test_new");
  expect((await postEvent(standIn, eventBody("e1"), { apiKey: "sk_test_workos" })).status).toBe(401);
  expect((await postEvent(standIn, eventBody("e1"), { apiKey: "sk_test_reader" })).status).toBe(403);
  expect((await postEvent(standIn, eventBody("e1"))).status).toBe(200);
});

test("organizations and their audit log state are set", async () => {
  const standIn = await started();
  await call(standIn, "/__dev/organizations", { organizations: ["org_2"], states: { org_2: "inactive" } }, bare);
  expect((await postEvent(standIn, eventBody("e1"))).status).toBe(404);
  const configuration = await call(standIn, "/organizations/org_2/audit_log_configuration");
  expect(configuration.json).toEqual({ organization_id: "org_2", retention_period_in_days: 30, state: "inactive" });
  await call(standIn, "/__dev/organizations", { organizations: null }, bare);
  expect((await postEvent(standIn, eventBody("e1"))).status).toBe(200);
});

test("knobs are turned, and one that is not named stays", async () => {
  const standIn = await started({ successStatus: 201 });
  const limit = { requests: 1, windowMs: 60_000 };
  await call(standIn, "/__dev/knobs", { strictSchemas: true, unregistered: "drop", rateLimit: limit }, bare);
  expect((await postEvent(standIn, eventBody("e1"))).status).toBe(201);
  expect(standIn.events()).toEqual([]);
  expect((await postEvent(standIn, eventBody("e1"))).status).toBe(429);
  await call(standIn, "/__dev/knobs", { rateLimit: null, strictSchemas: false }, bare);
  expect((await postEvent(standIn, eventBody("e1"))).status).toBe(201);
});

test("reset brings back the first moment, the options included", async () => {
  const standIn = await started({ strictSchemas: true, organizations: ["org_1"] });
  const schema = { targets: [{ type: "team" }] };
  await call(standIn, "/audit_logs/actions/team.member_added/schemas", schema);
  await postEvent(standIn, eventBody("e1"), { key: "e1" });
  standIn.faults.add({ status: 500 });
  standIn.keys.rotate("sk_other");
  standIn.clock.advance(3_600_000);
  standIn.organizations.set(undefined);
  standIn.knobs.strictSchemas = false;
  await call(standIn, "/__dev/reset", {}, bare);
  expect([standIn.events(), standIn.requests(), standIn.faults.list()]).toEqual([[], [], []]);
  expect([standIn.apiKey, standIn.registry.isEmpty, standIn.knobs.strictSchemas]).toEqual([
    "sk_test_workos",
    true,
    true,
  ]);
  expect(Math.abs(standIn.clock.now() - Date.now())).toBeLessThan(60_000);
  expect((await postEvent(standIn, eventBody("e1", {}, "org_2"))).status).toBe(404);
  await call(standIn, "/audit_logs/actions/team.member_added/schemas", schema);
  expect((await postEvent(standIn, eventBody("e1"), { key: "e1" })).status).toBe(200);
  expect(storedIds(standIn)).toEqual(["e1"]);
});

const wrong: [path: string, body: unknown, field: string][] = [
  ["faults", { status: 99 }, "status"],
  ["faults", { answer: "teapot" }, "answer"],
  ["faults", { delay: 5 }, ""],
  ["faults", { match: { nth: 0 } }, "match.nth"],
  ["clock", { advance_ms: "1h" }, "advance_ms"],
  ["keys", { api_key: "" }, "api_key"],
  ["organizations", { states: { org_1: "off" } }, "states.org_1"],
  ["knobs", { successStatus: 204 }, "successStatus"],
  ["knobs", { nothing: true }, ""],
];

test.each(wrong)("POST /__dev/%s with %j is 400 and names the field", async (path, body, field) => {
  const standIn = await started();
  const got = await call(standIn, `/__dev/${path}`, body, bare);
  expect([got.status, got.json.code]).toEqual([400, "invalid_request"]);
  expect(got.json.detail).toContain(`"${field}" is wrong: `);
  expect(standIn.faults.list()).toEqual([]);
});

test.each(["GET nothing", "DELETE events", "GET exports/none.csv"])("%s under /__dev/ is 404", async (control) => {
  const standIn = await started();
  const [method = "", path] = control.split(" ");
  const got = await call(standIn, `/__dev/${path}`, undefined, { ...bare, method });
  expect([got.status, got.json.code]).toEqual([404, "not_found"]);
});

test("controls leave no trace in the requests and are not hit by faults", async () => {
  const standIn = await started();
  standIn.faults.add({ status: 500 });
  expect((await call(standIn, "/__dev/events", undefined, bare)).status).toBe(200);
  expect(standIn.requests()).toEqual([]);
});
