import { describe, expect, it } from "vitest";
import { canonicalJson, parseJson } from "../../policy/json.ts";

describe("parseJson", () => {
  it.each([
    ["9007199254740991", 9007199254740991],
    ["9007199254740992", 9007199254740992n],
    ["-9007199254740993", -9007199254740993n],
    ["1610521604143693812", 1610521604143693812n],
    ["1234567890123456.5", 1234567890123456.5],
    ["1e300", 1e300],
    ['"9007199254740993"', "9007199254740993"],
  ])("reads %s", (text, expected) => {
    expect(parseJson(text)).toBe(expected);
    expect(parseJson(`{"a":[{"b":${text}}]}`)).toEqual({ a: [{ b: expected }] });
  });

  it("keeps the digits of an integer too long to be a number of any kind", () => {
    const digits = "7".repeat(5_000);
    expect(parseJson(`{"a":${digits}}`)).toEqual({ a: digits });
  });

  it("reads what a reviver cannot follow", () => {
    const deep = `${"[".repeat(40_000)}1234567890123456789${"]".repeat(40_000)}`;
    expect(Array.isArray(parseJson(deep))).toBe(true);
  });

  it("returns undefined for a text that is not JSON", () => {
    for (const text of ["", "{", "9007199254740993x", '{"a":9007199254740993']) {
      expect(parseJson(text)).toBe(undefined);
    }
  });
});

describe("canonicalJson", () => {
  // The example of RFC 8785, section 3.2.2 and 3.2.3.
  it("sorts names by their UTF-16 units and writes numbers as ECMAScript does", () => {
    const given = parseJson(
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"€$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    );
    expect(canonicalJson(given)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
    const names = { "€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\u0080": 6, ö: 7 };
    expect(canonicalJson(names)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
  });

  it("is the same for equal values, however they are written", () => {
    expect(canonicalJson(parseJson('{ "b" : 1.0, "a": [ 1e0 ] }'))).toBe(canonicalJson(parseJson('{"a":[1],"b":1}')));
  });

  it("rounds what is no IEEE 754 double, as the RFC wants it", () => {
    expect(canonicalJson(parseJson("[9007199254740993]"))).toBe("[9007199254740992]");
  });
});
