import * as fc from "fast-check";
import { findNodeAtLocation, parse } from "jsonc-parser";
import { describe, expect, test } from "vitest";
import { appendItem, appendProperty, insertAll, parseJson, prependItem } from "../../../cli/init/json-edit.ts";

/** True where `text` is `longer` with parts left out: nothing of the user's was changed. */
function isKept(text: string, longer: string): boolean {
  let position = 0;
  for (const char of longer) if (char === text[position]) position++;
  return position === text.length;
}

function prepend(text: string, value: unknown, ...path: (string | number)[]): string {
  const node = findNodeAtLocation(parseJson(text, "a.json"), path);
  return insertAll(text, prependItem(text, node!, value));
}

function append(text: string, value: unknown, ...path: (string | number)[]): string {
  const node = findNodeAtLocation(parseJson(text, "a.json"), path);
  return insertAll(text, appendItem(text, node!, value));
}

describe("an item", () => {
  test.each([
    ["in front on one line", '{ "a": ["x", "y"] }', '{ "a": ["n", "x", "y"] }'],
    ["in front of a minified list", '{"a":["x","y"]}', '{"a":["n","x","y"]}'],
    ["in front on a line of its own", '{\n\t"a": [\n\t\t"x"\n\t]\n}', '{\n\t"a": [\n\t\t"n",\n\t\t"x"\n\t]\n}'],
    ["in front, with CRLF", '{\r\n  "a": [\r\n    "x"\r\n  ]\r\n}', '{\r\n  "a": [\r\n    "n",\r\n    "x"\r\n  ]\r\n}'],
    ["in an empty list", '{ "a": [] }', '{ "a": ["n"] }'],
    ["in an empty list of two lines", '{\n  "a": [\n  ]\n}', '{\n  "a": [\n    "n"\n  ]\n}'],
    ["past a comment", '{ "a": [/* first */ "x"] }', '{ "a": [/* first */ "n", "x"] }'],
  ])("%s", (_name, text, expected) => {
    expect(prepend(text, "n", "a")).toBe(expected);
  });

  test.each([
    ["at the end on one line", '{ "a": [{ "b": 1 }] }', '{ "a": [{ "b": 1 }, { "n": 1 }] }'],
    ["at the end of a minified list", '{"a":[{"b":1}]}', '{"a":[{"b":1},{"n":1}]}'],
    [
      "after the comment beside the last one",
      '{\n    "a": [\n        {} // keep\n    ]\n}',
      '{\n    "a": [\n        {}, // keep\n        {\n            "n": 1\n        }\n    ]\n}',
    ],
    [
      "with a trailing comma where the list has one",
      '{\n  "a": [\n    1,\n    // end\n  ]\n}',
      '{\n  "a": [\n    1,\n    {\n      "n": 1\n    },\n    // end\n  ]\n}',
    ],
  ])("%s", (_name, text, expected) => {
    expect(append(text, { n: 1 }, "a")).toBe(expected);
  });

  test.each([
    [
      "of two lines",
      '{\n  "h": {\n    "a": 1\n  }\n}',
      '{\n  "h": {\n    "a": 1,\n    "p": {\n      "inbound": ["n"]\n    }\n  }\n}',
    ],
    ["of one line", '{ "h": { "a": 1 } }', '{ "h": { "a": 1, "p": { "inbound": ["n"] } } }'],
    ["minified", '{"h":{"a":1}}', '{"h":{"a":1,"p":{"inbound":["n"]}}}'],
    ["empty and minified", '{"h":{}}', '{"h":{"p":{"inbound":["n"]}}}'],
  ])("a property at the end of an object %s", (_name, text, expected) => {
    const node = findNodeAtLocation(parseJson(text, "a.json"), ["h"]);
    expect(insertAll(text, appendProperty(text, node!, "p", { inbound: ["n"] }))).toBe(expected);
  });
});

test("keeps every character of any JSON text and adds exactly what was asked", () => {
  const layouts = fc.constantFrom<string | number>(0, 1, 2, 4, "\t");
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue()),
      fc.jsonValue(),
      fc.jsonValue(),
      layouts,
      fc.boolean(),
      (list, other, value, indent, crlf) => {
        const plain = JSON.stringify({ other, list }, null, indent);
        const text = crlf ? plain.replaceAll("\n", "\r\n") : plain;
        const first = prepend(text, value, "list");
        const last = append(text, value, "list");
        expect([parse(first), parse(last)]).toEqual([
          parse(JSON.stringify({ other, list: [value, ...list] })),
          parse(JSON.stringify({ other, list: [...list, value] })),
        ]);
        expect([isKept(text, first), isKept(text, last)]).toEqual([true, true]);
      },
    ),
  );
});

describe("a malformed text is named by file, line and column", () => {
  test.each([
    ["{", 'a.json" is not valid JSON at line 1:2: close brace expected'],
    ['{\n  "a": [1 2]\n}', 'a.json" is not valid JSON at line 2:11: comma expected'],
    ["", 'a.json" is not valid JSON at line 1:1: value expected'],
    ['{"a":1}\n{}', 'a.json" is not valid JSON at line 2:1: end of file expected'],
  ])("%j", (text, message) => {
    expect(() => parseJson(text, "a.json")).toThrow(
      expect.objectContaining({ code: "invalid_option", message: expect.stringContaining(message) }),
    );
  });
});
