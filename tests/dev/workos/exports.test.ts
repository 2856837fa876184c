import { expect, test } from "vitest";
import type { WorkosStandIn } from "../../../dev/workos/server.ts";
import { call, eventBody, postEvent, started } from "./harness.ts";

const NOW = Date.parse("2026-11-24T12:00:00.000Z");
const RANGE = { range_start: "2026-11-01T00:00:00.000Z", range_end: "2026-12-01T00:00:00.000Z" };

async function csvOf(standIn: WorkosStandIn, request: Record<string, unknown>): Promise<string[]> {
  const made = await call(standIn, "/audit_logs/exports", { organization_id: "org_1", ...RANGE, ...request });
  expect([made.status, made.json.state]).toEqual([201, "pending"]);
  const ready = await call(standIn, `/audit_logs/exports/${made.json.id}`);
  expect(ready.json.state).toBe("ready");
  return (await (await fetch(ready.json.url)).text()).trimEnd().split("\n");
}

async function withEvents(): Promise<WorkosStandIn> {
  const standIn = await started({ clock: { now: () => NOW } });
  await postEvent(standIn, eventBody("e1"));
  await postEvent(
    standIn,
    eventBody("e2", { action: "team.removed", actor: { id: "user_2", type: "user", name: "Ada" } }),
  );
  await postEvent(
    standIn,
    eventBody("e3", { targets: [{ id: "k", type: "api_key" }], occurred_at: "2026-10-31T00:00:00Z" }),
  );
  await postEvent(standIn, eventBody("e4", {}, "org_2"));
  return standIn;
}

const filters: [name: string, filter: Record<string, unknown>, ids: string[]][] = [
  ["the organization and the range alone", {}, ["e1", "e2"]],
  ["a wider range", { range_start: "2026-10-01T00:00:00Z" }, ["e1", "e2", "e3"]],
  ["another organization", { organization_id: "org_2" }, ["e4"]],
  ["an action", { actions: ["team.removed"] }, ["e2"]],
  ["an actor id", { actor_ids: ["user_1"] }, ["e1"]],
  ["an actor name", { actor_names: ["Ada"] }, ["e2"]],
  ["a target type", { range_start: "2026-10-01T00:00:00Z", targets: ["api_key"] }, ["e3"]],
];

test.each(filters)("an export by %s holds exactly its events", async (_name, filter, ids) => {
  const [, ...rows] = await csvOf(await withEvents(), filter);
  expect(rows.map((row) => /""event_id"":""(\w+)""/.exec(row)?.[1])).toEqual(ids);
});

test("quotes, commas and line breaks in a value stay inside its cell", async () => {
  const standIn = await started({ clock: { now: () => NOW } });
  await postEvent(standIn, eventBody("e1", { context: { location: 'a "b", c\nd' } }));
  const lines = await csvOf(standIn, {});
  expect(lines.join("\n")).toContain('"a ""b"", c\nd"');
});

test("events older than three months are left out whatever the range says", async () => {
  const standIn = await withEvents();
  await postEvent(standIn, eventBody("old", { occurred_at: "2026-07-01T00:00:00.000Z" }));
  const lines = await csvOf(standIn, { range_start: "2026-01-01T00:00:00.000Z" });
  expect(lines.join("\n")).not.toContain("old");
});

test("the url expires after ten minutes, and fetching the export again makes a new one", async () => {
  const standIn = await withEvents();
  const made = await call(standIn, "/audit_logs/exports", { organization_id: "org_1", ...RANGE });
  const ready = await call(standIn, `/audit_logs/exports/${made.json.id}`);
  standIn.clock.advance(10 * 60_000);
  expect((await fetch(ready.json.url)).status).toBe(404);
  const again = await call(standIn, `/audit_logs/exports/${made.json.id}`);
  expect((await fetch(again.json.url)).status).toBe(200);
});

const refused: [name: string, body: Record<string, unknown>, message: unknown][] = [
  [
    "a range that ends before it starts",
    { organization_id: "org_1", range_start: RANGE.range_end, range_end: RANGE.range_start },
    "Invalid date range",
  ],
  ["a range that is no date", { organization_id: "org_1", range_start: "x", range_end: "y" }, "Invalid date range"],
  ["no range end", { organization_id: "org_1", range_start: RANGE.range_start }, ["range_end must be a string"]],
  ["an unknown organization", { organization_id: "org_9", ...RANGE }, "Organization not found: 'org_9'."],
];

test.each(refused)("%s is 400", async (_name, body, message) => {
  const standIn = await started({ organizations: ["org_1"] });
  const got = await call(standIn, "/audit_logs/exports", body);
  expect([got.status, got.json.message]).toEqual([400, message]);
});

test("an export that does not exist is 404", async () => {
  const standIn = await started();
  expect((await call(standIn, "/audit_logs/exports/audit_log_export_0")).status).toBe(404);
});
