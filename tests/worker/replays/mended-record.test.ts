/** Mending a record: what changes, what never does, and what the diff shows. */
import { describe, expect, it } from "vitest";
import { mendedFields, mendRecord, type Mend } from "../../../worker/replays/mended-record.ts";
import { numberedRecord } from "../support/letters.ts";

const record = numberedRecord(1, {
  metadata: { plan: "pro", seats: 3 },
  actor: { id: "u1", type: "usr", name: "Ada", metadata: { role: "admin" } },
  targets: [
    { id: "t1", type: "team", metadata: { size: 2 } },
    { id: "t2", type: "group" },
  ],
});

describe("a mend", () => {
  it.each<[string, Mend, object, object[]]>([
    [
      "sets the action",
      { set: { action: "x.y" } },
      { action: "x.y" },
      [{ field: "action", from: "user.created", to: "x.y" }],
    ],
    [
      "sets the organization of a record without one",
      { set: { organization: "org_2" } },
      { organization: "org_2" },
      [{ field: "organization", from: "org_01", to: "org_2" }],
    ],
    [
      "maps the action",
      { map: { action: { "user.created": "a.b", other: "c.d" } } },
      { action: "a.b" },
      [{ field: "action", from: "user.created", to: "a.b" }],
    ],
    [
      "maps the types of actor and targets",
      { map: { "actor.type": { usr: "user" }, "targets.type": { group: "team" } } },
      { actor: { type: "user" }, targets: [{ type: "team" }, { id: "t2", type: "team" }] },
      [
        { field: "actor.type", from: "usr", to: "user" },
        { field: "targets.type", from: "group", to: "team" },
      ],
    ],
    [
      "drops metadata without showing it",
      { drop: ["metadata.plan"] },
      { metadata: { seats: 3 } },
      [{ field: "metadata.plan", from: "[hidden]", to: null }],
    ],
    [
      "drops the metadata of actor and targets",
      { drop: ["actor.metadata.role", "targets.metadata.size"] },
      { actor: { id: "u1" }, targets: [{ id: "t1" }, { id: "t2" }] },
      [
        { field: "actor.metadata.role", from: "[hidden]", to: null },
        { field: "targets.metadata.size", from: "[hidden]", to: null },
      ],
    ],
  ])("%s", (_, mend, expected, changes) => {
    const mended = mendRecord(record, mend);
    expect(mended.record).toMatchObject(expected);
    expect(mended.changes).toEqual(changes);
    expect(mended.record).toMatchObject({
      id: record.id,
      occurredAtMs: record.occurredAtMs,
      route: record.route,
      status: record.status,
    });
  });

  it.each<[string, Mend | undefined]>([
    ["nothing to mend", undefined],
    ["the value it has already", { set: { action: "user.created" } }],
    ["a mapping of other values", { map: { action: { other: "x.y" }, organization: { constructor: "x" } } }],
    ["a key that is not there", { drop: ["metadata.none", "targets.metadata.plan"] }],
  ])("changes nothing with %s", (_, mend) => {
    expect(mendRecord(record, mend)).toEqual({ record, changes: [] });
  });

  it("leaves no empty metadata behind", () => {
    const { record: mended } = mendRecord(record, { drop: ["metadata.plan", "metadata.seats"] });
    expect(mended).not.toHaveProperty("metadata");
  });

  it("makes the same record every time", () => {
    const mend: Mend = {
      set: { organization: "o" },
      drop: ["metadata.plan"],
      map: { action: { "user.created": "a.b" } },
    };
    expect(mendRecord(record, mend)).toEqual(mendRecord(record, mend));
  });
});

it("remembers what an earlier replay mended", () => {
  const before = { ...record, replay: { id: "rp_1", n: 1, mended: ["organization", "action"] } };
  const { changes } = mendRecord(before, { set: { action: "x.y" }, drop: ["metadata.plan"] });
  expect(mendedFields(before, changes)).toEqual(["organization", "action", "metadata.plan"]);
});
