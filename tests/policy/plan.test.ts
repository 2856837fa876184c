import { describe, expect, it } from "vitest";
import { describePart, type Fallback } from "../../policy/meaning.ts";
import { makePlan } from "../../policy/plan.ts";
import type { Seen } from "../../policy/selector.ts";

const fallback: Fallback = {
  action: "op",
  organization: "org_default",
  actor: { id: "user_1", type: "user", name: "Ada", metadata: { role: "admin" } },
  targets: [{ id: "/route", type: "route" }],
};
const seen: Seen = {
  user: { sub: "user_1", data: { org: "org_1" } },
  query: new URLSearchParams("a=1"),
  body: { list: [1], text: "t" },
};

const meaningOf = (xAudit: unknown, defaults?: unknown) =>
  describePart(
    { place: "", seen, description: makePlan(xAudit, { assurance: "best-effort", defaults }).base },
    fallback,
  );

describe("x-audit", () => {
  it("may say nothing at all", () => {
    for (const nothing of [undefined, null, {}]) {
      const { missing, truncated, outcome, origins, metadata, ...meaning } = meaningOf(nothing);
      expect(meaning).toEqual({ ...fallback, actor: { ...fallback.actor } });
      expect([missing, truncated, outcome, metadata]).toEqual([[], [], undefined, {}]);
      expect(Object.fromEntries(origins)).toEqual({
        "actor.id": ["user,sub"],
        "actor.name": ["user,data,name"],
        "actor.metadata.role": ["user,data,role"],
        "actor.metadata.acting_party": ["user,data,act,sub"],
      });
    }
  });

  it("knows where each value came from, and that a literal came from nowhere", () => {
    const { origins } = meaningOf({ actor: { id: "robot", name: "$body.text" }, metadata: { a: "$query.a" } });
    expect([...origins.keys()].toSorted()).toEqual([
      "actor.metadata.acting_party",
      "actor.metadata.role",
      "actor.name",
      "metadata.a",
    ]);
    expect(origins.get("actor.name")).toEqual(["body,text"]);
  });

  it("goes over the policy's defaults field by field, and their metadata is joined", () => {
    const defaults = {
      organization: "$user.data.org",
      actor: { type: "api_key" },
      metadata: { a: "$query.a", b: "default" },
    };
    const meaning = meaningOf({ actor: { type: "robot" }, metadata: { b: "route" } }, defaults);
    expect(meaning).toMatchObject({
      organization: "org_1",
      actor: { id: "user_1", type: "robot" },
      metadata: { a: "1", b: "route" },
    });
  });

  it("takes the first of a list that is there", () => {
    const nameOf = (name: unknown) => meaningOf({ actor: { name } });
    expect(nameOf(["$body.none", "$body.list", "$body.text", "literal"]).actor.name).toBe("t");
    expect(nameOf(["$body.none", "literal"])).toMatchObject({ actor: { name: "literal" }, missing: [] });
    expect(nameOf(["$body.none", "$query.b"])).toMatchObject({ actor: { name: "Ada" }, missing: ["$body.none"] });
  });

  it("marks what is missing unless it is optional", () => {
    const { missing } = meaningOf({
      metadata: { a: "$body.none", b: "$body.none2?", c: ["$body.none3?", "$body.none4"] },
    });
    expect(missing).toEqual(["$body.none"]);
  });

  it("keeps the parts of an actor that it does not name", () => {
    expect(meaningOf({ actor: { metadata: { plan: "pro" } } }).actor).toEqual({
      ...fallback.actor,
      metadata: { role: "admin", plan: "pro" },
    });
  });

  it("lets nothing take the place of a required organization", () => {
    expect(meaningOf({ organization: "$user.data.nothing" }).organization).toBe("org_default");
    expect(meaningOf({ organization: "$user.data.nothing!" })).toMatchObject({
      organization: undefined,
      missing: ["$user.data.nothing"],
    });
  });

  it("lets nobody take the place of a required actor", () => {
    expect(meaningOf({ actor: { id: "$user.data.email" } }).actor.id).toBe("user_1");
    expect(meaningOf({ actor: { id: ["$user.data.email", "$user.data.mail!"] } })).toMatchObject({
      actor: { id: "unknown", type: "user" },
      missing: ["$user.data.email"],
    });
  });

  it("takes `$$` for a dollar, at the beginning only", () => {
    expect(meaningOf({ metadata: { a: "$$5", b: "5$$", c: "$$user.sub" } }).metadata).toEqual({
      a: "$5",
      b: "5$$",
      c: "$user.sub",
    });
  });

  it("knows which bodies it needs", () => {
    const plan = (xAudit: unknown) => makePlan(xAudit, { assurance: "best-effort" });
    expect(plan({ action: "a" })).toMatchObject({ body: false, responseBody: false });
    expect(plan({ metadata: { a: ["x", "$body.a"] } })).toMatchObject({ body: true, responseBody: false });
    expect(plan({ targets: [{ id: "$response.body.id" }] })).toMatchObject({ body: false, responseBody: true });
  });

  it("skips a route with `false` or `skip`", () => {
    expect(makePlan(false, { assurance: "durable" }).skip).toBe(true);
    expect(makePlan({ skip: true }, { assurance: "durable" }).skip).toBe(true);
    expect(makePlan({ skip: "a health check" }, { assurance: "durable" }).skip).toBe("a health check");
    expect(makePlan({ skip: 1 }, { assurance: "durable" }).skip).toBe(false);
  });

  it.each([
    ["text", '"x-audit" must be an object'],
    [[], '"x-audit" must be an object'],
    [{ colour: 1 }, '"x-audit.colour" is not known'],
    [{ action: {} }, '"action" must be a scalar, a selector, a template, a select, or a list of these'],
    [{ action: "$usr.x" }, '"action" has "$usr.x", which is not a selector, or selects a credential'],
    [{ actor: "ada" }, '"actor" must be an object'],
    [{ actor: { id: "1", age: 3 } }, '"actor.age" is not known'],
    [{ targets: {} }, '"targets" must be a list'],
    [
      { targets: [{ id: { a: 1 } }] },
      '"targets.0.id" must be a scalar, a selector, a template, a select, or a list of these',
    ],
    [{ metadata: ["a"] }, '"metadata" must be an object'],
    [
      { metadata: { a: Number.NaN } },
      '"metadata.a" must be a scalar, a selector, a template, a select, or a list of these',
    ],
    [{ assurance: "sure" }, '"assurance" must be one of best-effort, durable, required'],
    [{ skip: 1 }, '"skip" must be the reason as text, true, or false'],
  ])("%j: %s", (xAudit, problem) => {
    const plan = makePlan(xAudit, { assurance: "durable" });
    expect(plan.problems).toEqual([problem]);
    expect(plan.assurance).toBe("durable");
    // What is wrong is missing at most; it never throws.
    describePart({ place: "", seen, description: plan.base }, fallback);
  });
});
