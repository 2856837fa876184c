import { describe, expect, it } from "vitest";
import { parseSelector, resolve, type Seen } from "../../policy/selector.ts";

const seen: Seen = {
  user: {
    sub: "user_1",
    data: { org: "org_1", deep: { list: [{ a: 7 }] }, "https://x.test/org": "org_2", no: null, yes: true },
  },
  params: { id: "42" },
  query: new URLSearchParams("page=2"),
  headers: new Headers({ "x-source": "cli", Authorization: "Bearer t" }),
  body: { email: "a@b.c", items: [{ sku: "s" }], 0: "zero" },
  response: { status: 201, headers: new Headers({ location: "/x" }), body: { id: "inv_1", total: 0 } },
};

describe("a selector", () => {
  it.each([
    ["$user.sub", "user_1"],
    ["$user.data.org", "org_1"],
    ["$user.data.deep.list.0.a", 7],
    ['$user.data["https://x.test/org"]', "org_2"],
    ["$user.data['https://x.test/org']", "org_2"],
    ["$user.data.yes", true],
    ["$params.id", "42"],
    ["$query.page", "2"],
    ["$header.x-source", "cli"],
    ["$header.X-SOURCE", "cli"],
    ["$body.items.0.sku", "s"],
    ["$body.0", "zero"],
    ["$body.items[0].sku", "s"],
    ["$body[0]", "zero"],
    ['$header["X-Source"]', "cli"],
    ["$response.status", 201],
    ["$response.header.location", "/x"],
    ["$response.body.id", "inv_1"],
    ["$response.body.total", 0],
  ])("%s finds its scalar", (text, expected) => {
    const selector = parseSelector(text);
    expect(selector && resolve(selector, seen)).toBe(expected);
  });

  it.each([
    "$user.data.deep",
    "$user.data.no",
    "$user.data.nothing.below",
    "$body.items",
    "$body.constructor",
    "$body.__proto__.x",
    "$body.email.length",
    "$params.toString",
    "$header.x-other",
    "$response.body.none",
  ])("%s finds nothing: no object, no list, nothing inherited", (text) => {
    const selector = parseSelector(text);
    expect(selector).toBeDefined();
    expect(selector && resolve(selector, seen)).toBeUndefined();
  });

  it("finds nothing that is only inherited", () => {
    const selector = parseSelector("$user.data.org");
    const data: unknown = Object.create({ org: "org_of_the_prototype" });
    expect(selector && resolve(selector, { user: { data } })).toBeUndefined();
  });

  it("finds nothing of a response that is not there yet", () => {
    for (const text of ["$response.status", "$response.header.location", "$response.body.id"]) {
      const selector = parseSelector(text);
      expect(selector && resolve(selector, {})).toBeUndefined();
    }
  });

  it("is optional with `?`, required with `!`", () => {
    expect(parseSelector("$body.a?")).toMatchObject({ text: "$body.a", need: "?" });
    expect(parseSelector("$body.a!")).toMatchObject({ text: "$body.a", need: "!" });
    expect(parseSelector("$body.a")).toMatchObject({ need: "" });
  });

  it.each([
    "$usr.sub",
    "$user",
    "$user.data",
    "$user.sub.x",
    "$body",
    "$params.",
    "$response.status.code",
    "$response.statuses",
    "$response",
    "$bodyguard.x",
    "$ header.x",
    "$header.authorization",
    "$header.Proxy-Authorization",
    "$header.cookie",
    "$header.x-api-key",
    "$header.x-auth-token",
    "$header.Ocp-Apim-Subscription-Key",
    '$header["authorization"]',
    "$header.x source",
    "$header.x@source",
    "$header.x-söurce",
    "$body..a",
    "$body.a.",
    "$body.a[]",
    "$body.a[0",
    "$body.a]b",
    "$response.header.set-cookie",
    "user.sub",
    "",
  ])("%j is none, or not allowed", (text) => {
    expect(parseSelector(text)).toBeUndefined();
  });

  it("knows when it asks for a secret by its name", () => {
    expect(parseSelector("$body.password")?.secret).toBe(true);
    expect(parseSelector("$body.account.apiKey")?.secret).toBe(true);
    expect(parseSelector("$body.tokens[0]")?.secret).toBe(true);
    expect(parseSelector("$body.password.value")?.secret).toBe(true);
    expect(parseSelector("$body.token_id")?.secret).toBe(false);
    expect(parseSelector('$user.data["https://auth.x.test/org"]')?.secret).toBe(false);
    expect(parseSelector("$body.diagnosis", { redact: ["diagnosis"] })?.secret).toBe(true);
  });
});
