/** One contract: what the worker shows, what the CLI parses and what the page says are the fields of `shared/api.ts`. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DeadLetter } from "../../../cli/api/answers.ts";
import { schemaOf } from "../../../cli/api/schema.ts";
import { apiPage } from "../../../docs/generate/api.ts";
import { DEAD_LETTER_FIELDS } from "../../../shared/api.ts";
import { summaryView } from "../../../worker/api/dead-letter-view.ts";
import { merge } from "../../../worker/dead-letters/merged-row.ts";
import type { DeadLetterRow } from "../../../worker/dead-letters/row.ts";
import { letter } from "../support/letters.ts";

const names = Object.keys(DEAD_LETTER_FIELDS);
const always = Object.entries(DEAD_LETTER_FIELDS).flatMap(([name, { isAlways }]) => (isAlways ? [name] : []));

function rowOf(changes: Partial<DeadLetterRow>): DeadLetterRow {
  const { row } = merge(undefined, letter(1), 1_795_997_391_000);
  if (!row) throw new Error("a new dead letter has a row");
  return { ...row, ...changes };
}

const IMPORTED = JSON.stringify({ by: "ann", atMs: 1_795_997_391_000 });
const KNOWN = rowOf({
  replay_id: "rp_1",
  imported: IMPORTED,
  discarded: '{"reason":"test","by":"admin","at":"2026-11-23T00:00:00.000Z"}',
});
const UNKNOWN = rowOf({
  status: null,
  action: null,
  organization: null,
  method: null,
  route: null,
  occurred_at: null,
  first_attempt_at: null,
  last_attempt_at: null,
});

describe("a dead letter in a list", () => {
  it("has each field of the contract, in its order, and no other", () => {
    expect(Object.keys(summaryView(KNOWN))).toEqual(names);
  });

  it("has only the fields that are always there if nothing else is known", () => {
    expect(Object.keys(summaryView(UNKNOWN))).toEqual(always);
  });

  it.each([KNOWN, UNKNOWN])("is what the CLI parses", (row) => {
    const view = summaryView(row);
    expect(DeadLetter.parse(JSON.parse(JSON.stringify(view)))).toEqual(view);
  });

  it.each(names)("is refused by the CLI where %s is of another kind", (name) => {
    expect(DeadLetter.safeParse({ ...summaryView(KNOWN), [name]: [] }).success).toBe(false);
  });

  it.each(["event_id", "state", "class", "wrote", "reason", "attempts", "parked_at"])(
    "is refused by the CLI without %s",
    (name) => {
      expect(DeadLetter.safeParse({ ...summaryView(KNOWN), [name]: undefined }).success).toBe(false);
    },
  );
});

it("a class that a newer worker knows, and a field, pass through the CLI", () => {
  const newer = { ...summaryView(KNOWN), class: "postponed", region: "eu" };
  expect(DeadLetter.parse(newer)).toEqual(newer);
});

it("a field added to the contract is parsed, and stands in the page", () => {
  const added = { region: { kind: "text", isAlways: true, about: "where it came from" } } as const;
  expect(schemaOf(added, ["region"]).safeParse({}).success).toBe(false);
  expect(schemaOf(added, []).safeParse({ region: 7 }).success).toBe(false);
  expect(schemaOf(added, []).parse({ region: "eu" })).toEqual({ region: "eu" });
  const page = apiPage(readFileSync(new URL("../../../docs/api.md", import.meta.url), "utf8"));
  for (const name of names) expect(page).toContain(`| \`${name}\` |`);
});
