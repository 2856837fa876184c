/** The preset `graphql`: the same operation as the reference implementation runs, and the truth about its answer. */
import { buildSchema, execute, Kind, parse } from "graphql";
import { describe, expect, it } from "vitest";
import { operationsIn } from "../../../policy/presets/graphql-document.ts";
import { readGraphql } from "../../../policy/presets/graphql.ts";
import type { Reading } from "../../../policy/presets/reading.ts";
import type { Seen } from "../../../policy/selector.ts";

function seenOf(
  body: unknown,
  { status = 200, answer = {}, ...more }: { status?: number; answer?: unknown } & Partial<Seen> = {},
): Seen {
  return { method: "POST", body, response: { status, headers: new Headers(), body: answer }, ...more };
}

function read(body: unknown, more?: Parameters<typeof seenOf>[1], skipsQueries = false): Reading {
  const [reading, ...others] = readGraphql(seenOf(body, more), skipsQueries);
  if (!reading || others.length > 0) throw new Error("not one reading");
  return reading;
}

const short = ({ skip, action, target, outcome }: Reading) => [skip ?? action.slice(8), target?.id, outcome];

const TRICKY = `# query Comment { a }
"""
mutation InBlock { a } \\""" more
"""
query A($x: In = { a: "} mutation InString {" }) @dir(a: [1, { b: 2 }]) { a(b: """ } """) { c } }
fragment F on T @mutation { mutation }
mutation B { b }, subscription C{c}
query ($y: Int) { a }`;

describe("the operations of a document", () => {
  it("are found past comments, strings, defaults, directives and fragments", () => {
    expect(operationsIn(TRICKY)).toEqual([
      { type: "query", name: "A" },
      { type: "mutation", name: "B" },
      { type: "subscription", name: "C" },
      { type: "query", name: undefined },
    ]);
  });

  it.each([
    "{ a }",
    "query { a }",
    "query Q { a }",
    "mutation M { a } query Q { b }",
    "query Q($a: [Int!]! = [1], $b: B = {c: {d: 1}}) { a }",
    'query Q { a(s: "\\"} mutation X {") }',
    'mutation M { a(s: """ \\""" } query Y { """) }',
    "query Q @a(b: {c: 1}) @d { a } fragment query on T { x } mutation mutation { a }",
    "\uFEFFquery Q{a}#mutation M{a}",
    "subscription S{a{b{c}}} , , query Z{a}",
  ])("%j: the same as the reference parser finds", (text) => {
    const expected = parse(text).definitions.flatMap((one) =>
      one.kind === Kind.OPERATION_DEFINITION ? [{ type: one.operation, name: one.name?.value }] : [],
    );
    expect(operationsIn(text)).toEqual(expected);
  });

  it.each(['"""', '"""\\"""', '"', "#", "{", "}", "query A", "@ ", "\\", '"\\'])(
    "cost linear time for many %j",
    (part) => {
      // The lowest of ten runs: other processes make some of them slower.
      const timeOf = (text: string) => {
        const runsMs = Array.from({ length: 10 }, () => {
          const startedMs = performance.now();
          operationsIn(text);
          return performance.now() - startedMs;
        });
        return Math.min(...runsMs);
      };
      const harmless = "query Abc { def ghi } ";
      const lengthOf = (chars: number, of: string) => of.repeat(Math.ceil(chars / of.length));
      timeOf(lengthOf(100_000, harmless));
      expect(timeOf(lengthOf(100_000, part))).toBeLessThan(20 * timeOf(lengthOf(100_000, harmless)) + 5);
    },
  );
});

describe("a request", () => {
  const two = "query A { a } mutation B { b }";
  it.each([
    [{ query: "{ a }" }, ["graphql.query", "anonymous"]],
    [{ query: "query Q { a }" }, ["graphql.query", "Q"]],
    [{ query: "mutation M { a }" }, ["graphql.mutation", "M"]],
    [{ query: "subscription S { a }" }, ["graphql.subscription", "S"]],
    [{ query: two, operationName: "A" }, ["graphql.query", "A"]],
    [{ query: two, operationName: "B" }, ["graphql.mutation", "B"]],
    [{ query: two, operationName: "C" }, ["graphql.mutation", "C"]],
    [{ query: two }, ["graphql.mutation", "anonymous"]],
    [{ query: "query A { a } query B { b }", operationName: "C" }, ["graphql.query", "C"]],
    [{ query: "mutation M { a }", operationName: null }, ["graphql.mutation", "M"]],
    [
      { extensions: { persistedQuery: { version: 1, sha256Hash: "ABCDEF0123456789abcdef" } } },
      ["graphql.query", "persisted:abcdef0123456789"],
    ],
    [{ documentId: "sha256:00112233445566778899" }, ["graphql.query", "persisted:0011223344556677"]],
    [
      { query: "mutation M { a }", extensions: { persistedQuery: { sha256Hash: "ab".repeat(32) } } },
      ["graphql.mutation", "M"],
    ],
    [{ operations: '{"query":"mutation Upload { a }"}', map: "{}" }, ["graphql.mutation", "Upload"]],
  ])("%j leaves %j", (body, expected) => {
    const { action, target } = read(body);
    expect([action, target?.id]).toEqual(expected);
    expect(target?.type).toBe("graphql_operation");
  });

  it("by GET is read like a POST", () => {
    const query = new URLSearchParams({ query: "query A { a } query B { b }", operationName: "B" });
    expect(read(undefined, { method: "GET", query })).toMatchObject({ action: "graphql.query", target: { id: "B" } });
    const persisted = new URLSearchParams({
      extensions: JSON.stringify({ persistedQuery: { sha256Hash: "ab".repeat(32) } }),
    });
    expect(read(undefined, { method: "GET", query: persisted })).toMatchObject({
      target: { id: "persisted:abababababababab" },
    });
  });

  it("that holds no operation is marked", () => {
    expect(read(undefined)).toMatchObject({ action: "graphql.query", target: { id: "anonymous" }, missing: ["$body"] });
    expect(read({ query: "fragment F on T { a }" })).toMatchObject({ missing: ["$body.query"] });
  });

  it("leaves none where queries are skipped, except persisted and unread ones", () => {
    expect(read({ query: "{ a }" }, {}, true).skip).toBe("queries");
    expect(read({ query: "{ a }" }, { status: 401 }, true).skip).toBe("queries");
    for (const body of [{ query: "mutation M { a }" }, { documentId: "0".repeat(64) }, undefined]) {
      expect(read(body, {}, true).skip).toBeUndefined();
    }
  });

  it("in a batch is told by its own answer", () => {
    const body = [{ query: "{ a }" }, { query: "mutation M { a }" }];
    const answer = [{ data: {} }, { errors: [{}, {}] }];
    const readings = readGraphql(seenOf(body, { answer }), false);
    expect(readings.map(short)).toEqual([
      ["query", "anonymous", "success"],
      ["mutation", "M", "failure"],
    ]);
    expect(readings[1]?.metadata).toEqual({ graphql_errors: 2 });
    const refused = readGraphql(seenOf(body, { answer: { errors: [{}] }, status: 400 }), false);
    expect(refused.map(({ outcome }) => outcome)).toEqual(["failure", "failure"]);
  });
});

describe("the outcome", () => {
  it.each([
    [200, { data: {} }, "success"],
    [200, { data: null, errors: [{ message: "no" }] }, "failure"],
    [200, { data: {}, errors: [] }, "success"],
    [200, { errors: "no" }, "success"],
    [401, { errors: [{}] }, "denied"],
    [403, {}, "denied"],
    [500, {}, "failure"],
  ])("of %i with %j is %s", (status, answer, outcome) => {
    expect(read({ query: "{ a }" }, { status, answer }).outcome).toBe(outcome);
  });

  it("of an answer that was too large to read is unknown", () => {
    const response = { status: 200, headers: new Headers(), bodyFault: "too_large" };
    expect(read({ query: "{ a }" }, { response }).outcome).toBe("unknown");
  });

  it("counts the errors that the reference implementation reports", async () => {
    const schema = buildSchema("type Query { a: Int! }");
    const answer = await execute({ schema, document: parse("{ a }"), rootValue: { a: null } });
    expect(read({ query: "{ a }" }, { answer })).toMatchObject({ outcome: "failure", metadata: { graphql_errors: 1 } });
  });
});
