/** Which lists of tokens are accepted, and which are refused whole. */
import { describe, expect, it } from "vitest";
import { expiryMs, isTokenName, parseTokens, roleAllows, ROLES } from "../../shared/access-tokens.ts";

const SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const ann = { name: "ann", role: "operate", sha256: SHA };
const list = (...changes: object[]) => JSON.stringify(changes.map((change) => Object.assign({ ...ann }, change)));
const base64url = (text: string) => Buffer.from(text).toString("base64url");

describe("a list of tokens", () => {
  it.each<[string, string, unknown]>([
    ["as JSON", list({}), [ann]],
    ["as JSON with space around it", ` ${list({})}\n`, [ann]],
    ["as base64url", base64url(list({})), [ann]],
    ["as base64url with padding", Buffer.from(list({ name: "ab" })).toString("base64"), [{ ...ann, name: "ab" }]],
    ["as base64url of indented JSON", base64url(JSON.stringify([ann], null, 2)), [ann]],
    ["with a last day", list({ expires: "2027-01-31" }), [{ ...ann, expires: "2027-01-31" }]],
    ["with a hash in upper case", list({ sha256: SHA.toUpperCase() }), [ann]],
    ["that is empty", "[]", []],
    [
      "with two tokens of one person",
      list({}, { sha256: SHA.replace("9", "8") }),
      [ann, { ...ann, sha256: SHA.replace("9", "8") }],
    ],
    ["with a name in any script", list({ name: "Zoë 山田" }), [{ ...ann, name: "Zoë 山田" }]],
  ])("%s is read", (_, text, expected) => {
    expect(parseTokens(text)).toEqual(expected);
  });

  it.each<[string, string]>([
    ["nothing", ""],
    ["no JSON", "[{"],
    ["an object", JSON.stringify(ann)],
    ["base64url of an object", base64url(JSON.stringify(ann))],
    ["base64url of no UTF-8", Buffer.from([0x5b, 0xff, 0x5d]).toString("base64url")],
    ["a list of something else", '["ann"]'],
    ["a list with null", "[null]"],
    ["no name", list({ name: undefined })],
    ["an empty name", list({ name: "" })],
    ["a name of spaces", list({ name: " " })],
    ["a name with a line break", list({ name: "ann\nadmin" })],
    ["a name with a bidi override", list({ name: "ann\u202eadmin" })],
    ["a long name", list({ name: "a".repeat(101) })],
    ["a name that is a number", list({ name: 1 })],
    ["no role", list({ role: undefined })],
    ["an unknown role", list({ role: "root" })],
    ["a role of the prototype", list({ role: "constructor" })],
    ["no hash", list({ sha256: undefined })],
    ["a short hash", list({ sha256: SHA.slice(1) })],
    ["a hash that is not hexadecimal", list({ sha256: SHA.replace("9", "g") })],
    ["the token instead of its hash", list({ token: "x".repeat(32) })],
    ["a time instead of a day", list({ expires: "2027-01-31T00:00:00Z" })],
    ["a day that does not exist", list({ expires: "2027-02-30" })],
    ["an empty day", list({ expires: "" })],
    ["null as a day", list({ expires: null })],
    ["one token twice", list({}, { name: "bob" })],
    ["more than a variable holds", JSON.stringify(Array.from({ length: 101 }, () => ann))],
  ])("with %s is refused whole", (_, text) => {
    expect(parseTokens(text)).toBeUndefined();
  });

  it("is refused whole if one of its entries is malformed", () => {
    expect(parseTokens(list({}, { sha256: SHA.replace("9", "8"), role: "Read" }))).toBeUndefined();
  });
});

it("a token is accepted until the end of its last day in UTC", () => {
  expect(expiryMs("2027-01-31")).toBe(Date.parse("2027-02-01T00:00:00Z"));
  expect(expiryMs("2028-02-29")).toBe(Date.parse("2028-03-01T00:00:00Z"));
  expect(expiryMs("2027-2-1")).toBeUndefined();
});

it("a role may do what the ones before it may", () => {
  const allowed = ROLES.map((role) => ROLES.filter((needed) => roleAllows(role, needed)));
  expect(allowed).toEqual([["read"], ["read", "operate"], ["read", "operate", "admin"]]);
});

it.each([
  ["a", true],
  ["a".repeat(100), true],
  ["ann@example.com", true],
  [" ann", false],
  ["ann ", false],
  ["a\u0000b", false],
])("the name %j: %s", (name, isName) => {
  expect(isTokenName(name)).toBe(isName);
});
