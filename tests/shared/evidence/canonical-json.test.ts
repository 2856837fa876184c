/** Canonical JSON against the RFC's own examples and against `canonicalize`, by an author of the RFC. */
import canonicalize from "canonicalize";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex } from "../../../shared/bytes.ts";
import { canonicalJson } from "../../../shared/evidence/canonical-json.ts";

describe("examples of RFC 8785", () => {
  it("writes numbers, strings and literals as section 3.2.2 does", () => {
    const input = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`;
    expect(canonicalJson(JSON.parse(input))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it("sorts keys as section 3.2.3 does", () => {
    const input = String.raw`{
      "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
    }`;
    expect([...canonicalJson(JSON.parse(input)).matchAll(/:"([^"]+)"/g)].map(([, name]) => name)).toEqual([
      "Carriage Return",
      "One",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]);
  });

  it.each([
    ["0000000000000000", "0"],
    ["8000000000000000", "0"],
    ["0000000000000001", "5e-324"],
    ["8000000000000001", "-5e-324"],
    ["7fefffffffffffff", "1.7976931348623157e+308"],
    ["4340000000000000", "9007199254740992"],
    ["4430000000000000", "295147905179352830000"],
    ["44b52d02c7e14af5", "9.999999999999997e+22"],
    ["44b52d02c7e14af6", "1e+23"],
    ["44b52d02c7e14af7", "1.0000000000000001e+23"],
    ["444b1ae4d6e2ef4f", "999999999999999900000"],
    ["444b1ae4d6e2ef50", "1e+21"],
    ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
    ["3eb0c6f7a0b5ed8d", "0.000001"],
    ["becbf647612f3696", "-0.0000033333333333333333"],
    ["43143ff3c1cb0959", "1424953923781206.2"],
  ])("writes the number %s as appendix B does", (hex, text) => {
    const number = new DataView(fromHex(hex).buffer).getFloat64(0);
    expect(canonicalJson(number)).toBe(text);
  });

  it.each([Number.NaN, Infinity, undefined, () => 1, 1n])("refuses %s, which JSON cannot hold", (value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });
});

it("sorts keys that look like numbers as text", () => {
  expect(canonicalJson({ 10: 1, 9: 2, a: 3 })).toBe('{"10":1,"9":2,"a":3}');
});

it("leaves out what is undefined, as JSON.stringify does", () => {
  expect(canonicalJson({ b: undefined, a: 1 })).toBe('{"a":1}');
});

it("replaces a lone surrogate, so that a hostile text cannot stop a delivery", () => {
  expect(canonicalJson({ "\ud800": "\udc00" })).toBe('{"\ufffd":"\ufffd"}');
});

it("writes the same text as a second implementation, and changes no value", () => {
  const wellFormed = fc.string({ unit: "binary" });
  const value = fc.jsonValue({ stringUnit: "binary", maxDepth: 2 });
  fc.assert(
    fc.property(fc.dictionary(wellFormed, value, { maxKeys: 6 }), (given) => {
      const text = canonicalJson(given);
      expect(text).toBe(canonicalize(given));
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(given)));
    }),
    { numRuns: 50 },
  );
});
