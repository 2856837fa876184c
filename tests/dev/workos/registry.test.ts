import { expect, test } from "vitest";
import type { WorkosStandIn } from "../../../dev/workos/server.ts";
import { call, eventBody, postEvent, started, storedIds, type Got } from "./harness.ts";

const PATH = "/audit_logs/actions/team.member_added/schemas";
const STRING = { type: "object", properties: { role: { type: "string" } } };

function register(standIn: WorkosStandIn, schema: unknown, path = PATH): Promise<Got> {
  return call(standIn, path, schema);
}

const refusedSchemas: [name: string, schema: unknown, field: string][] = [
  ["no targets", {}, "targets"],
  ["an empty list of targets", { targets: [] }, "targets"],
  ["a target without type", { targets: [{ metadata: STRING }] }, "targets.0.type"],
  ["targets that are no list", { targets: "team" }, "targets"],
  ["metadata that is no object", { targets: [{ type: "team" }], metadata: "x" }, "metadata"],
  ["metadata that is no JSON Schema", { targets: [{ type: "team" }], metadata: { type: "obj" } }, "metadata"],
  [
    "a property that no value can have",
    { targets: [{ type: "team", metadata: { properties: { a: { type: "object" } } } }] },
    "targets.0.metadata.a",
  ],
  [
    "a key with a dot",
    { targets: [{ type: "team" }], metadata: { properties: { "a.b": { type: "string" } } } },
    "metadata.a.b",
  ],
  [
    "51 properties",
    {
      targets: [{ type: "team" }],
      metadata: { properties: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, {}])) },
    },
    "metadata",
  ],
];

test.each(refusedSchemas)(
  "a schema with %s is 422, names the field and registers nothing",
  async (_name, schema, field) => {
    const standIn = await started();
    const got = await register(standIn, schema);
    expect(got.status).toBe(422);
    expect(got.json.errors[0].field).toBe(field);
    expect(standIn.registry.isEmpty).toBe(true);
  },
);

test("a schema body that is no JSON is 400", async () => {
  const standIn = await started();
  expect((await register(standIn, "{")).status).toBe(400);
});

test("registering again makes the next version and leaves the first as it was", async () => {
  const standIn = await started();
  standIn.clock.advance(Date.parse("2026-11-24T10:00:00.000Z") - standIn.clock.now());
  const first = await register(standIn, { targets: [{ type: "team" }] });
  const second = await register(standIn, { targets: [{ type: "user" }] });
  expect([first.status, first.json.version, second.json.version]).toEqual([201, 1, 2]);
  const list = await call(standIn, `${PATH}?order=asc`);
  expect(list.json.data).toEqual([first.json, second.json]);
  const actions = await call(standIn, "/audit_logs/actions");
  expect(actions.json.data).toMatchObject([
    { name: "team.member_added", schema: { version: 2, targets: [{ type: "user" }] } },
  ]);
});

test("an event must hold a target of each registered type; others may stand beside it", async () => {
  const standIn = await started();
  await register(standIn, { targets: [{ type: "team" }, { type: "user" }] });
  const team = { id: "team_1", type: "team" };
  const user = { id: "user_2", type: "user" };
  expect((await postEvent(standIn, eventBody("e1", { targets: [team] }))).status).toBe(400);
  expect(
    (await postEvent(standIn, eventBody("e2", { targets: [user, { id: "x", type: "other" }, team] }))).status,
  ).toBe(200);
  expect(storedIds(standIn)).toEqual(["e2"]);
});

test("a wrong target type is told as ajv errors at the path the real server uses, data included", async () => {
  const standIn = await started();
  await register(standIn, { targets: [{ type: "user" }] });
  const got = await postEvent(standIn, eventBody("e1"));
  expect(got.json).toMatchObject({ code: "invalid_audit_log", message: "Invalid Audit Log event" });
  expect(got.json.errors[0]).toMatchObject({
    instancePath: "/targets/0/type",
    schemaPath: "#/properties/targets/allOf/0/contains/properties/type/const",
    keyword: "const",
    schema: "user",
    data: "team",
  });
});

const metadataCases: [name: string, event: Record<string, unknown>, status: number][] = [
  ["root metadata of the declared type", { metadata: { role: "x" } }, 200],
  ["root metadata of another type", { metadata: { role: 5 } }, 400],
  ["undeclared root metadata", { metadata: { other: true } }, 200],
  ["no metadata", { metadata: undefined }, 200],
  ["actor metadata of another type", { actor: { id: "u", type: "user", metadata: { role: 5 } } }, 400],
  ["target metadata of another type", { targets: [{ id: "t", type: "team", metadata: { role: 5 } }] }, 400],
  [
    "metadata of a target type that declares none",
    {
      targets: [
        { id: "t", type: "team" },
        { id: "x", type: "x", metadata: { role: 5 } },
      ],
    },
    200,
  ],
];

test.each(metadataCases)("%s", async (_name, event, status) => {
  const standIn = await started();
  await register(standIn, {
    targets: [{ type: "team", metadata: STRING }],
    actor: { metadata: STRING },
    metadata: STRING,
  });
  expect((await postEvent(standIn, eventBody("e1", event))).status).toBe(status);
});

test("with closedMetadata a property that no schema declares is refused", async () => {
  const standIn = await started({ closedMetadata: true });
  await register(standIn, { targets: [{ type: "team" }], metadata: STRING });
  expect((await postEvent(standIn, eventBody("e1", { metadata: { role: "x" } }))).status).toBe(200);
  expect((await postEvent(standIn, eventBody("e2", { metadata: { role: "x", other: 1 } }))).status).toBe(400);
  standIn.knobs.closedMetadata = false;
  expect((await postEvent(standIn, eventBody("e3", { metadata: { role: "x", other: 1 } }))).status).toBe(200);
});

test("an event without version is judged by version 1, one with a version by that one", async () => {
  const standIn = await started();
  await register(standIn, { targets: [{ type: "team" }] });
  await register(standIn, { targets: [{ type: "user" }] });
  const user = [{ id: "user_1", type: "user" }];
  expect((await postEvent(standIn, eventBody("e1"))).status).toBe(200);
  expect((await postEvent(standIn, eventBody("e2", { targets: user }))).status).toBe(400);
  expect((await postEvent(standIn, eventBody("e3", { targets: user, version: 2 }))).status).toBe(200);
  expect((await postEvent(standIn, eventBody("e4", { version: 2 }))).status).toBe(400);
  for (const version of [0, -1, 3]) {
    const got = await postEvent(standIn, eventBody("e5", { version }));
    expect([got.status, got.json.errors]).toEqual([400, [{ instancePath: "/version" }]]);
  }
});

test("unregistered actions pass while the registry is empty and are refused from the first schema on", async () => {
  const standIn = await started();
  expect((await postEvent(standIn, eventBody("e1", { action: "a.b" }))).status).toBe(200);
  await register(standIn, { targets: [{ type: "team" }] });
  const got = await postEvent(standIn, eventBody("e2", { action: "a.b" }));
  expect([got.status, got.json]).toEqual([400, { message: "Audit Log action not found: 'a.b'." }]);
});

test("strictSchemas refuses them at once, and a schema registered later lets the next one in", async () => {
  const standIn = await started({ strictSchemas: true });
  expect((await postEvent(standIn, eventBody("e1"), { key: "e1" })).status).toBe(400);
  await register(standIn, { targets: [{ type: "team" }] });
  expect((await postEvent(standIn, eventBody("e1"), { key: "e1:r1" })).status).toBe(200);
});

test("with unregistered drop the answer is success and nothing is stored", async () => {
  const standIn = await started({ strictSchemas: true, unregistered: "drop" });
  expect((await postEvent(standIn, eventBody("e1"))).json).toEqual({ success: true });
  expect(standIn.events()).toEqual([]);
  expect(standIn.requests()[0]?.outcome).toBe("dropped");
});

test("the schemas of an action that does not exist are 404", async () => {
  const standIn = await started();
  expect((await call(standIn, PATH)).status).toBe(404);
});

test("an action name is taken from the path as it was encoded", async () => {
  const standIn = await started();
  await register(
    standIn,
    { targets: [{ type: "team" }] },
    `/audit_logs/actions/${encodeURIComponent("x y/é")}/schemas`,
  );
  expect(standIn.registry.find("x y/é")?.versions).toHaveLength(1);
});
