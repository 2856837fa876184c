/** Values of `x-audit`, through the whole policy: what a record holds, and what the log says of a wrong one. */
import { describe, expect, it } from "vitest";
import { leave, leaveOne } from "./support/left.ts";

const CALL = {
  method: "POST",
  url: "https://api.test/v1/things/7?tag=a&tag=b&tag=c&empty=",
  params: { id: "%6Dem_7", owner: "a%20b", broken: "100%", twice: "%2541" },
  user: { sub: "user_1", apiKeyId: "key_1", plan: "pro", data: { org: "org_1" } },
  body: '{"op":"close","n":3,"big":9007199254740993,"list":[1],"none":null,"no":false}',
};

/** The value that a metadata field gets. */
async function valueOf(value: unknown, call: object = CALL): Promise<unknown> {
  return (await leaveOne({ metadata: { field: value } }, call)).metadata?.["field"];
}

describe("a value", () => {
  it.each([
    ["$params.id", "mem_7"],
    ["$params.owner", "a b"],
    ["$params.broken", "100%"],
    ["$params.twice", "%41"],
    ["$query.tag", "c"],
    ["$query.tag[0]", "a"],
    ["$query.tag[1]", "b"],
    ["$query.tag[3]", undefined],
    ["$query.tag[0].x", undefined],
    ["$user.apiKeyId", "key_1"],
    ["$user.plan", "pro"],
    ["$body.big", "9007199254740993"],
    ["$body.n", 3],
    ["{$params.id}/{$body.n}", "mem_7/3"],
    ["{$user.sub}", "user_1"],
    ["a {$body.big} b", "a 9007199254740993 b"],
    ["{{{$body.op}}}", "{close}"],
    ["{{$body.op}} {$body.op}", "{$body.op} close"],
    ["{{no template}}", "{{no template}}"],
    ["{$params.id}/{$body.nothing}", undefined],
    [["{$body.nothing}", "{$body.op}"], "close"],
    [{ select: "$body.op", map: { close: "closed" } }, "closed"],
    [{ select: "$body.op", map: { open: "opened" } }, undefined],
    [{ select: "$body.op", map: { open: "opened" }, else: "other" }, "other"],
    [{ select: "$body.nothing", map: { open: "opened" }, else: "other" }, "other"],
    [{ select: "$body.n", map: { 3: true } }, true],
    [{ select: "$body.big", map: { "9007199254740993": 1 } }, 1],
    [{ select: "$body.op", map: { constructor: "no" } }, undefined],
    [[{ select: "$body.op", map: { open: "opened" } }, "$user.plan"], "pro"],
    [{ select: "$body.op" }, "close"],
  ])("%j becomes %j", async (value, expected) => {
    expect(await valueOf(value)).toBe(expected);
  });

  it("names the selector that keeps a template or a choice from resolving", async () => {
    const record = await leaveOne(
      {
        metadata: {
          a: "{$params.id}/{$body.gone}",
          b: { select: "$body.op", map: {} },
          c: "{$body.quiet?}",
          d: { select: "$body.lost?", map: {} },
        },
      },
      CALL,
    );
    expect(record.missing).toEqual(["$body.gone", "$body.op"]);
  });

  it("of a secret's name is hidden inside a template too", async () => {
    expect(await valueOf("x {$body.password} y", { method: "POST", body: { password: "hunter22" } })).toBe(
      "x [redacted] y",
    );
  });

  it("becomes a pseudonym where a selector in its template is to become one", async () => {
    const options = {
      pseudonymize: ["$body.op"],
      pseudonymKeys: `k1:${Buffer.alloc(32, 1).toString("base64")}`,
    };
    const record = await leaveOne({ metadata: { a: "op {$body.op}", b: "{$body.n}!" } }, CALL, options);
    expect(record.metadata).toEqual({ a: expect.stringMatching(/^ps_k1_/), b: "3!" });
  });

  it("of a header that was sent twice resolves nowhere, while one with commas of its own does", async () => {
    const headers = { "x-org": "org_a, org_b", "user-agent": "sdk (a, b)" };
    const record = await leaveOne({ metadata: { org: "$header.x-org", agent: "$header.user-agent" } }, { headers });
    expect(record).toMatchObject({ metadata: { agent: "sdk (a, b)" }, missing: ["$header.x-org"] });
  });

  it("that is empty gives way to the next, and to the default", async () => {
    const record = await leaveOne(
      { actor: { id: ["$query.empty", "$user.plan"] }, organization: "$query.empty" },
      CALL,
    );
    expect([record.actor.id, record.organization]).toEqual(["pro", "org_default"]);
  });
});

describe("a wrong value is named with its route and field, and the rest applies", () => {
  it.each([
    ["team/$params.x", '"metadata.field" has "team/$params.x", a selector inside other text; write it as "{$…}"'],
    ["{$params.id}/$params.x", '"metadata.field" has "{$params.id}/$params.x", a selector inside other text'],
    ["{$params.id", '"metadata.field" has "{$params.id", a selector inside other text'],
    ["{$nonsense.x}", '"metadata.field" has "$nonsense.x", which is not a selector, or selects a credential'],
    ["$item.x", '"metadata.field" has "$item.x", which exists only below "each"'],
    [{ select: "$body.op", map: { close: "$body.x" } }, '"metadata.field.map.close" must be a literal'],
    [{ select: "$body.op", map: { close: "a {$body.x}" } }, '"metadata.field.map.close" must be a literal'],
    [
      { select: "$body.op", map: { close: "a $body.x" } },
      '"metadata.field.map.close" has "a $body.x", a selector inside',
    ],
    [{ select: "$body.op", map: [] }, '"metadata.field.map" must be an object'],
    [{ select: "op", map: {} }, '"metadata.field.select" has "op", which is not a selector'],
    [{ select: "$body.op", maps: {} }, '"metadata.field.maps" is not known'],
    [{ select: "$body.op", map: { close: "a" }, else: {} }, '"metadata.field.else" must be a literal'],
    [{ map: { close: "a" } }, '"metadata.field" must be a scalar, a selector, a template, a select'],
  ])("%j", async (value, problem) => {
    const { records, logs } = await leave({ metadata: { field: value, other: "$user.sub" } }, CALL);
    expect(logs.filter((line) => line.includes("invalid_option: on /v1/things/{id}: "))).toEqual([
      expect.stringContaining(problem),
    ]);
    expect(records.map(({ metadata }) => metadata?.["other"])).toEqual(["user_1"]);
  });

  it("but `$$` and literal braces say that a dollar is meant", async () => {
    const { records, logs } = await leave({ metadata: { a: "$$params.x", b: "{{$params.x}} {$user.sub}", c: "5 $" } });
    expect(logs).toEqual([]);
    expect(records[0]?.metadata).toMatchObject({ a: "$params.x", c: "5 $" });
  });
});

describe("an action", () => {
  it.each(["$body.op", "$query.tag", "$header.x-a", "$params.id", "x.{$body.op}", ["$body.op", "$user.plan"]])(
    "%j is refused, because the caller would choose it",
    async (action) => {
      const { records, logs } = await leave({ action }, CALL);
      expect(logs[0]).toContain('"action" is chosen by the caller');
      expect(records[0]?.action).toBe(Array.isArray(action) ? "pro" : "op");
    },
  );

  it("is chosen by a map, by the user or by the response", async () => {
    const map = { close: "account.closed" };
    expect((await leaveOne({ action: { select: "$body.op", map, else: "account.other" } }, CALL)).action).toBe(
      "account.closed",
    );
    expect((await leaveOne({ action: { select: "$body.no", map, else: "account.other" } }, CALL)).action).toBe(
      "account.other",
    );
    expect((await leaveOne({ action: "$response.body.did" }, { ...CALL, answer: { did: "a.b" } })).action).toBe("a.b");
  });
});

describe("an organization that the caller sends", () => {
  const xAudit = { organization: ["$header.x-org", "$user.data.org"] };
  const headers = { "x-org": "org_victim" };

  it("counts for a signed-in caller whom the API accepted", async () => {
    expect((await leaveOne(xAudit, { ...CALL, headers })).organization).toBe("org_victim");
  });

  it.each([
    ["an anonymous caller", { headers }, "org_default"],
    ["a user without sub", { headers, user: { data: { org: "org_1" } } }, "org_1"],
    ["a refused caller", { ...CALL, headers, status: 403 }, "org_1"],
    ["a failed request", { ...CALL, headers, status: 500 }, "org_1"],
    ["a header sent twice", { ...CALL, headers: { "x-org": "org_a, org_b" } }, "org_1"],
  ])("does not count for %s", async (_who, call, expected) => {
    expect((await leaveOne(xAudit, call)).organization).toBe(expected);
  });

  it.each([
    "$query.tag",
    "$body.op",
    "$params.id",
    "x{$params.id}",
    { select: "$body.op", map: { close: "org_mapped" } },
  ])("does not count as %j either, unless it is trusted", async (organization) => {
    const stranger = { ...CALL, user: undefined as never };
    expect((await leaveOne({ organization }, stranger)).organization).toBe("org_default");
  });

  it("counts for anybody where it is trusted", async () => {
    const organization = { select: "$header.x-org", trustCaller: true };
    expect((await leaveOne({ organization }, { headers, status: 401 })).organization).toBe("org_victim");
  });
});
