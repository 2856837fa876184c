/** Cases, outcome rules, skips and lists, through the whole policy. */
import { describe, expect, it } from "vitest";
import type { AuditRecord } from "../../shared/record.ts";
import { leave, leaveOne } from "./support/left.ts";

const RPC = {
  action: "rpc.called",
  metadata: { via: "rpc" },
  cases: [
    { when: { "$body.method": ["ping", "tools/list"] }, skip: "protocol traffic" },
    { when: { "$response.status": 401, "$user.sub": { exists: false } }, skip: "strangers" },
    {
      when: { "$body.method": "users/delete" },
      action: "user.deleted",
      targets: [{ type: "user", id: "$body.params.id" }],
      metadata: { reason: "$body.params.reason?" },
    },
  ],
  outcome: [
    { when: { "$response.body.error.code": -32001 }, is: "denied" },
    { when: { "$response.body.error": { exists: true } }, is: "failure" },
  ],
};
const USER = { sub: "user_1", data: {} };

describe("cases", () => {
  it("leave the first that matches, over what the route says", async () => {
    const body = { method: "users/delete", params: { id: "u_9", reason: "asked" } };
    expect(await leaveOne(RPC, { body })).toMatchObject({
      action: "user.deleted",
      targets: [{ type: "user", id: "u_9" }],
      metadata: { via: "rpc", reason: "asked" },
    });
  });

  it("leave the base record where none matches", async () => {
    expect(await leaveOne(RPC, { body: { method: "users/create" } })).toMatchObject({
      action: "rpc.called",
      targets: [{ type: "route", id: "/v1/things/{id}" }],
      metadata: { via: "rpc" },
      outcome: "success",
    });
  });

  it("leave nothing where they skip", async () => {
    expect((await leave(RPC, { body: { method: "ping" } })).records).toEqual([]);
    expect((await leave(RPC, { body: { method: "x" }, status: 401 })).records).toEqual([]);
    expect((await leave(RPC, { body: { method: "x" }, status: 401, user: USER })).records).toHaveLength(1);
  });

  it("decide the outcome by the answer", async () => {
    const outcomeOf = async (answer: unknown, status = 200) =>
      (await leaveOne(RPC, { body: { method: "x" }, answer, status, user: USER })).outcome;
    expect(await outcomeOf({ error: { code: -32001 } })).toBe("denied");
    expect(await outcomeOf({ error: { code: -32602 } })).toBe("failure");
    expect(await outcomeOf({ error: null })).toBe("failure");
    expect(await outcomeOf({ result: 1 })).toBe("success");
    expect(await outcomeOf({}, 500)).toBe("failure");
  });

  it("replace actor, targets, organization and outcome, and may give an outcome of their own", async () => {
    const xAudit = {
      actor: { id: "base", type: "robot", name: "Base" },
      outcome: [{ when: {}, is: "failure" }],
      cases: [{ when: { "$body.a": 1 }, actor: { id: "case" }, organization: "org_case", outcome: [] }],
    };
    expect(await leaveOne(xAudit, { body: { a: 1 } })).toMatchObject({
      actor: { id: "case", type: "anonymous" },
      organization: "org_case",
      outcome: "success",
    });
    expect(await leaveOne(xAudit, { body: { a: 2 } })).toMatchObject({ actor: { id: "base" }, outcome: "failure" });
  });
});

describe("a condition", () => {
  const body = { n: 5, text: "5", big: 0, no: null, list: [], off: false };
  const call = {
    method: "POST",
    url: "https://api.test/v1/things/7?limit=20&word=x",
    params: { id: "%37" },
    headers: { "x-size": "3.5" },
    user: USER,
    body: JSON.stringify(body).replace('"big":0', '"big":9007199254740993'),
    answer: { ok: true },
  };
  it.each([
    [{ "$body.n": 5 }, true],
    [{ "$body.n": "5" }, true],
    [{ "$body.n": [1, "5"] }, true],
    [{ "$body.n": [] }, false],
    [{ "$body.off": false }, true],
    [{ "$body.big": "9007199254740993" }, true],
    [{ "$body.big": { min: 9007199254740992 } }, true],
    [{ "$body.none": "undefined" }, false],
    [{ "$params.id": 7 }, true],
    [{ "$body.no": { exists: true } }, true],
    [{ "$body.list": { exists: true } }, true],
    [{ "$body.none": { exists: false } }, true],
    [{ $body: { exists: true } }, true],
    [{ "$response.body.ok": true }, true],
    [{ "$body.n": { min: 5, max: 5 } }, true],
    [{ "$body.n": { min: 6 } }, false],
    [{ "$body.n": { max: 4 } }, false],
    [{ "$body.text": { min: 0 } }, false],
    [{ "$query.limit": { min: 20, max: 20 } }, true],
    [{ "$query.word": { min: 0 } }, false],
    [{ "$header.x-size": { max: 4 } }, true],
    [{ "$params.id": { min: 7, exists: true } }, true],
    [{ "$response.status": { min: 200, max: 299 } }, true],
    [{ "$body.n": 5, "$body.off": true }, false],
    [{}, true],
  ])("%j: %s", async (when, matches) => {
    const record = await leaveOne({ cases: [{ when, action: "matched" }] }, call);
    expect(record.action).toBe(matches ? "matched" : "op");
  });
});

describe("each", () => {
  const ids = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ id: `m_${i}`, op: i % 2 ? "noop" : "delete" }));
  const EACH = { each: "$body.items", action: "member.removed", targets: [{ type: "member", id: "$item.id" }] };

  it("leaves a record for each element, the first with the request's own id", async () => {
    const { records } = await leave(EACH, { body: { items: ids(3) } });
    const [first] = records;
    expect(records.map(({ targets }) => targets[0]?.id)).toEqual(["m_0", "m_1", "m_2"]);
    expect(records.map(({ parentId }) => parentId)).toEqual([undefined, first?.id, first?.id]);
    expect(records.map(({ metadata }) => metadata)).toEqual([0, 1, 2].map((i) => ({ batch_index: i, batch_size: 3 })));
    expect(new Set(records.map(({ id }) => id)).size).toBe(3);
    expect(records.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(records.every(({ truncated }) => truncated === undefined)).toBe(true);
  });

  it("takes a body that is a list itself, and elements that are scalars", async () => {
    const { records } = await leave({ each: "$body", targets: [{ type: "x", id: "$item" }] }, { body: ["a", 2] });
    expect(records.map(({ targets }) => targets[0]?.id)).toEqual(["a", "2"]);
  });

  it("leaves 20 records of a longer list and counts the rest", async () => {
    const { records } = await leave(EACH, { body: { items: ids(25) } });
    expect(records).toHaveLength(20);
    expect(records[0]).toMatchObject({ truncated: ["records:+5"], metadata: { batch_size: 25 } });
  });

  it("applies cases to each element, and gives the request's id to the first that is left", async () => {
    const xAudit = {
      ...EACH,
      cases: [
        { when: { "$item.id": "m_0" }, skip: "the first" },
        { when: { "$item.op": "noop" }, action: "member.kept" },
      ],
    };
    const { records } = await leave(xAudit, { body: { items: ids(3) } });
    expect(records.map(({ action, metadata }) => [action, metadata?.["batch_index"]])).toEqual([
      ["member.kept", 1],
      ["member.removed", 2],
    ]);
    expect(records[1]?.parentId).toBe(records[0]?.id);
  });

  it.each([{ items: [] }, {}, { items: "m_1" }, { items: null }])(
    "leaves one marked record where the list is %j",
    async (body) => {
      expect(await leaveOne(EACH, { body })).toMatchObject({
        missing: ["$body.items"],
        targets: [{ type: "member", id: "unknown" }],
      });
    },
  );

  it("may be said by a case alone", async () => {
    const xAudit = {
      action: "one",
      cases: [{ when: { "$body.bulk": true }, each: "$body.items", action: "many", targets: EACH.targets }],
    };
    expect((await leave(xAudit, { body: { bulk: true, items: ids(2) } })).records.map(({ action }) => action)).toEqual([
      "many",
      "many",
    ]);
    expect((await leaveOne(xAudit, { body: { items: ids(2) } })).action).toBe("one");
  });

  it("may be said by a case that also asks about the elements", async () => {
    const xAudit = {
      action: "other",
      cases: [{ when: { "$body.bulk": true, "$item.op": "delete" }, each: "$body.items", action: "member.removed" }],
    };
    const { records } = await leave(xAudit, { body: { bulk: true, items: ids(2) } });
    expect(records.map(({ action }) => action)).toEqual(["member.removed", "other"]);
  });

  it("fits into messages of any size, and every record has its own", async () => {
    const { records } = await leave(EACH, { body: { items: ids(20) } }, { maxRecords: 3 });
    expect(new Set(records.map(({ id }) => id)).size).toBe(20);
  });

  it.each(["durable", "required"])("leaves all of them on a %s route", async (assurance) => {
    const { records } = await leave({ ...EACH, assurance }, { body: { items: ids(3) } });
    const stages = assurance === "required" ? ["intent", "outcome"] : ["outcome"];
    for (const stage of stages) {
      const those = records.filter((record) => record.stage === stage);
      expect(those.map(({ targets }) => targets[0]?.id)).toEqual(["m_0", "m_1", "m_2"]);
    }
    expect(new Set(records.map(({ id }) => id)).size).toBe(3);
  });
});

describe("each in a target", () => {
  const idsOf = ({ targets }: AuditRecord) => targets.map(({ id }) => id);
  const members = { each: "$body.ids", type: "member", id: "$item" };

  it("makes a target of each element, beside others", async () => {
    const record = await leaveOne(
      { targets: [members, { type: "team", id: "$params.id" }] },
      { method: "POST", body: { ids: ["a", "b"] } },
    );
    expect(idsOf(record)).toEqual(["a", "b", "7"]);
  });

  it("counts what WorkOS has no room for, and leaves out none of the others", async () => {
    const ids = Array.from({ length: 30 }, (_, i) => `m_${i}`);
    const record = await leaveOne({ targets: [members, { type: "team", id: "t" }] }, { body: { ids } });
    expect(idsOf(record)).toEqual([...ids.slice(0, 19), "t"]);
    expect(record.truncated).toEqual(["targets:+11"]);
  });

  it("shares the room between several lists", async () => {
    const list = (name: string) => Array.from({ length: 15 }, (_, i) => `${name}_${i}`);
    const groups = { each: "$body.groups", type: "group", id: "$item" };
    const body = { ids: list("m"), groups: list("g") };
    const record = await leaveOne({ targets: [members, groups, { type: "team", id: "t" }] }, { body });
    expect(idsOf(record)).toEqual([...body.ids, ...body.groups.slice(0, 4), "t"]);
    expect(record.truncated).toEqual(["targets:+11"]);
  });

  it("is named where its list is missing", async () => {
    expect(await leaveOne({ targets: [members] }, { body: {} })).toMatchObject({
      targets: [{ type: "member", id: "unknown" }],
      missing: expect.arrayContaining(["$body.ids"]),
    });
  });

  it("sees the nearest list", async () => {
    const xAudit = { each: "$body.teams", targets: [{ each: "$item.ids", type: "member", id: "$item" }] };
    const { records } = await leave(xAudit, { body: { teams: [{ ids: ["a"] }, { ids: ["b", "c"] }] } });
    expect(records.map(idsOf)).toEqual([["a"], ["b", "c"]]);
  });
});

describe("a skip", () => {
  it("leaves no gap in the numbers of an isolate", async () => {
    const { records } = await leave({ cases: [{ when: { "$body.a": 1 }, skip: true }] }, { body: { a: 2 } });
    expect(records.map(({ sequence }) => sequence)).toEqual([1]);
  });

  it("that needs the response is refused on a required route", async () => {
    const cases = [{ when: { "$response.status": 404 }, skip: "nothing there" }];
    const { records, logs } = await leave({ assurance: "required", cases }, { body: {}, status: 404 });
    expect(logs[0]).toContain('"cases.0.skip" depends on the response');
    expect(records.map(({ stage }) => stage)).toEqual(["intent", "outcome"]);
  });

  it("leaves neither intent nor outcome on a required route", async () => {
    const cases = [{ when: { "$body.a": 1 }, skip: "a" }];
    expect((await leave({ assurance: "required", cases }, { body: { a: 1 } })).records).toEqual([]);
  });

  it("does not take back an intent: who is signed in may be known only afterwards", async () => {
    const cases = [{ when: { "$user.sub": { exists: true } }, skip: "members" }];
    const { records } = await leave({ assurance: "required", cases }, { body: {}, user: USER });
    expect(records.map(({ stage, outcome }) => [stage, outcome])).toEqual([
      ["intent", "unknown"],
      ["outcome", "success"],
    ]);
  });
});

describe("what is malformed is named with its route and field, and the rest applies", () => {
  const good = { when: { "$body.a": 1 }, action: "good" };
  it.each([
    [{ cases: {} }, '"cases" must be a list'],
    [{ cases: [good, "x"] }, '"cases.1" must be an object'],
    [{ cases: [{ action: "x" }, good] }, '"cases.0.when" must be an object'],
    [{ cases: [{ when: { "$bdy.a": 1 }, skip: true }, good] }, '"cases.0.when" has "$bdy.a", which is not a selector'],
    [{ cases: [{ when: { "$body.a": null }, skip: true }, good] }, '"cases.0.when.$body.a" must be a scalar, a list'],
    [{ cases: [{ when: { "$body.a": { min: "1" } }, skip: true }, good] }, '"cases.0.when.$body.a" must be'],
    [{ cases: [{ when: { "$body.a": { above: 1 } }, skip: true }, good] }, '"cases.0.when.$body.a" must be'],
    [{ cases: [{ when: { "$body.a": {} }, skip: true }, good] }, '"cases.0.when.$body.a" must be'],
    [
      { cases: [{ when: { "$item.a": 1 }, skip: true }, good] },
      '"cases.0.when" has "$item.a", which exists only below "each"',
    ],
    [{ cases: [{ ...good, colour: 1 }] }, '"cases.0.colour" is not known'],
    [{ cases: [{ ...good, skip: 3 }] }, '"cases.0.skip" must be the reason'],
    [{ cases: [{ ...good, action: "$body.x" }] }, '"cases.0.action" is chosen by the caller'],
    [{ each: 5, cases: [good] }, '"each" must be a selector of a list'],
    [{ each: "items", cases: [good] }, '"each" has "items", which is not a selector'],
    [{ outcome: "denied", cases: [good] }, '"outcome" must be a list'],
    [
      { outcome: [{ when: {}, is: "unknown" }], cases: [good] },
      '"outcome.0.is" must be one of success, failure, denied',
    ],
    [{ preset: "soap", cases: [good] }, '"preset" must be one of mcp, graphql, none'],
    [{ queries: "skip", cases: [good] }, '"queries" must be "skip", beside the preset "graphql"'],
  ])("%j", async (xAudit, problem) => {
    const { records, logs } = await leave(xAudit, { body: { a: 1 } });
    expect(logs).toEqual([expect.stringContaining(`invalid_option: on /v1/things/{id}: ${problem}`)]);
    const wasGood = JSON.stringify(xAudit).includes('"action":"good"');
    expect(records.map(({ action }) => action)).toEqual([wasGood ? "good" : "op"]);
  });
});
