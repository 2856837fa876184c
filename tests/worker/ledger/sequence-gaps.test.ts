import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countOf, isolatesOf } from "../../../worker/ledger/sequence-gaps.ts";

const run = (first: number, last: number, isolate = "a") => ({ isolate, first, last });

describe("gaps of sequence numbers", () => {
  it.each([
    ["none", [run(1, 5)], { first: 1, last: 5, seen: 5, missing: [] }],
    ["one number", [run(1, 2), run(4, 6)], { first: 1, last: 6, seen: 5, missing: [{ from: 3, to: 3 }] }],
    ["runs of two places that touch", [run(3, 4), run(1, 2)], { first: 1, last: 4, seen: 4, missing: [] }],
    ["runs that overlap", [run(1, 9), run(4, 5), run(8, 12)], { first: 1, last: 12, seen: 12, missing: [] }],
    ["a beginning that nobody can know", [run(7, 8)], { first: 7, last: 8, seen: 2, missing: [] }],
    [
      "several gaps",
      [run(9, 9), run(1, 1), run(5, 6)],
      {
        first: 1,
        last: 9,
        seen: 4,
        missing: [
          { from: 2, to: 4 },
          { from: 7, to: 8 },
        ],
      },
    ],
  ])("%s", (_name, runs, expected) => {
    expect(isolatesOf(runs)).toEqual([{ isolate: "a", ...expected }]);
  });

  it("are not numbers of requests that began before or after the period, but ended within it", () => {
    const around = [run(3, 3), run(5, 5), run(9, 9)];
    expect(isolatesOf([run(2, 2), run(4, 4), run(7, 8)], around)).toEqual([
      { isolate: "a", first: 2, last: 8, seen: 6, missing: [{ from: 6, to: 6 }] },
    ]);
    expect(isolatesOf([run(1, 1)], [run(4, 4), run(2, 2, "b")])).toEqual([
      { isolate: "a", first: 1, last: 1, seen: 1, missing: [] },
    ]);
  });

  it("are counted for each isolate alone", () => {
    expect(isolatesOf([run(1, 1, "a"), run(3, 3, "b"), run(5, 5, "b")]).map(({ missing }) => countOf(missing))).toEqual(
      [0, 1],
    );
  });

  it("are the numbers between the first and the last that are in no run", () => {
    const numbers = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 });
    fc.assert(
      fc.property(numbers, fc.array(fc.integer({ min: 0, max: 4 })), (starts, lengths) => {
        const runs = starts.map((first, i) => run(first, first + (lengths[i] ?? 0)));
        const seen = new Set(
          runs.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i)),
        );
        const [isolate] = isolatesOf(runs);
        const expected = Array.from(
          { length: Math.max(...seen) - Math.min(...seen) + 1 },
          (_, i) => Math.min(...seen) + i,
        ).filter((n) => !seen.has(n));
        const missing = isolate?.missing.flatMap(({ from, to }) =>
          Array.from({ length: to - from + 1 }, (_, i) => from + i),
        );
        expect({ missing, seen: isolate?.seen }).toEqual({ missing: expected, seen: seen.size });
      }),
    );
  });
});
