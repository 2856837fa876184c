import { describe, expect, it } from "vitest";
import { judge } from "../../../dev/drill/verdict.ts";

const verdictOf = (acknowledged: string[], stored: string[], deadLetters: string[] = []) =>
  judge({ acknowledged: new Set(acknowledged), stored, deadLetters });

describe("the verdict of a drill", () => {
  it("holds where each acknowledged record is one event or one dead letter", () => {
    expect(verdictOf(["a", "b", "c"], ["b", "a"], ["c"])).toMatchObject({
      ok: true,
      acknowledged: 3,
      delivered: 2,
      parked: 1,
    });
  });

  it("allows an event whose acknowledgement nobody saw, and a second event that corrects the first", () => {
    expect(verdictOf(["a"], ["a", "a:outcome", "x"])).toMatchObject({ ok: true, unacknowledged: 1, corrections: 1 });
  });

  it.each([
    ["a record is neither", verdictOf(["a", "b"], ["a"]), { missing: ["b"] }],
    ["an event is there twice", verdictOf(["a"], ["a", "a"]), { twice: ["a"] }],
    ["an event that nobody acknowledged is there twice", verdictOf([], ["x", "x"]), { twice: ["x"] }],
    ["a correction is there twice", verdictOf(["a"], ["a", "a:outcome", "a:outcome"]), { twice: ["a:outcome"] }],
    ["a record is both", verdictOf(["a"], ["a"], ["a"]), { both: ["a"] }],
    ["a correction has no event", verdictOf([], ["a:outcome"]), { orphans: ["a:outcome"] }],
  ])("fails where %s", (_, verdict, found) => {
    expect(verdict).toMatchObject({ ok: false, ...found });
  });
});
