/** The plan of a replay as lines of a terminal or of a pipe. */
import { expect, test } from "vitest";
import type { Plan } from "../../../cli/api/answers.ts";
import { planLines } from "../../../cli/replay/plan-lines.ts";

const plan: Plan = {
  send: 12,
  skip: 1200,
  by_class: { exhausted: 12 },
  by_action: { "a.rather.long.action.of.a.rather.large.application.that.names.everything": 12 },
  by_organization: {},
  age: { within_24h: 12 },
  skip_reasons: { needs_accept_duplicates: 1200, delivered: 1 },
  duplicates_possible: 1200,
  needs_accept_duplicates: true,
  rate: 40,
  seconds: 1,
  mend: {
    changed: 1,
    unchanged: 11,
    sample: [{ event_id: "019ab0c4", changes: [{ field: "organization", from: "org ".repeat(30), to: "org_1" }] }],
  },
};
const paint = (_style: unknown, text: string): string => text;

test("a pipe gets one line for each row", () => {
  const lines = planLines(plan, { paint });
  expect(lines[0]).toBe("plan: send 12 dead letters at 40 a second, about 1 s; skip 1200");
  expect(lines).toContain("  1200  WorkOS may hold it, and its 24 h window is over: needs --accept-duplicates");
});

test.each([40, 60, 80])("on a terminal of %i columns every line fits, and none loses a word", (columns) => {
  const lines = planLines(plan, { paint, columns });
  expect(lines.filter((line) => line.length > columns)).toEqual([]);
  const words = (texts: readonly string[]): string => texts.join("").replaceAll(" ", "");
  expect(words(lines)).toBe(words(planLines(plan, { paint })));
});

test("a row that is wrapped goes on under its text", () => {
  expect(planLines(plan, { paint, columns: 60 })).toEqual(
    expect.arrayContaining([
      "  1200  WorkOS may hold it, and its 24 h window is over:",
      "        needs --accept-duplicates",
    ]),
  );
});
