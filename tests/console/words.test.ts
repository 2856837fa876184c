/** The words of the console, and what an address means. */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { actionWords, incidentWords } from "../../console/words/incidents.ts";
import {
  EMPTY_MEND_FORM,
  mendBody,
  newReplacement,
  REPLACED_FIELDS,
  replacementProblem,
} from "../../console/words/mending.ts";
import { filtersOf, groupFilter, matchesOpen, selectionOf } from "../../console/words/filters.ts";
import { newestOf, rangeNamed, totalOf } from "../../console/words/metrics.ts";
import { adviceFor, reasonWords, shortReason } from "../../console/words/reasons.ts";
import { OPERATOR_ACTIONS } from "../../shared/operator-actions.ts";
import { MAPPED } from "../../worker/replays/mended-record.ts";

/** Actions that are no operator's. */
const WORKERS_OWN = new Set(["audit_forwarder.checked", "audit_forwarder.checkpoint"]);

const query = (text: string) => new URLSearchParams(text);

describe("an incident", async () => {
  const runbook = await readFile(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const alerts = runbook.slice(runbook.indexOf("\n## Alerts"), runbook.indexOf("\n## Dead letters"));
  const kinds = [...alerts.matchAll(/^### (\w+)$/gm)].map(([, kind = ""]) => kind);

  it.each(kinds)("%s of the runbook has words of its own", (kind) => {
    expect(incidentWords(kind).means).not.toContain("does not know this incident");
    expect(incidentWords(kind).steps.length).toBeGreaterThan(0);
  });

  it("that the console does not know is named", () => {
    expect(incidentWords("on_fire")).toMatchObject({ title: "on fire", steps: [expect.stringContaining("runbook")] });
  });

  it("says what operators did, whatever they can do", () => {
    for (const action of Object.keys(OPERATOR_ACTIONS).filter((name) => !WORKERS_OWN.has(name)))
      expect(actionWords(action)).toMatch(/^(started|paused|resumed|cancelled|discarded|revealed|exported|imported) /);
  });
});

describe("the filters of an address", () => {
  it("are the query, in one order and without what a page adds itself", () => {
    expect(filtersOf(query("status=400&class=rejected&cursor=x&limit=9&group_by=reason&action=")).toString()).toBe(
      "class=rejected&status=400",
    );
  });

  it.each([
    ["", { all: true }],
    ["state=open", { all: true }],
    ["class=rejected,exhausted&status=400", { filter: { class: ["rejected", "exhausted"], status: 400 } }],
    ["status=none&route=/v1/a,b", { filter: { status: "none", route: "/v1/a,b" } }],
  ])("%j select %j for a replay", (text, selection) => {
    expect(selectionOf(query(text))).toEqual(selection);
  });

  it("match open dead letters unless they name other states only", () => {
    expect(["", "state=open,delivered", "state=delivered"].map((text) => matchesOpen(query(text)))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("of a group without a value exist only for the status", () => {
    expect([groupFilter("status", null), groupFilter("route", null), groupFilter("status", 400)]).toEqual([
      "none",
      undefined,
      "400",
    ]);
  });
});

describe("a reason", () => {
  it("is a sentence, and short in a list", () => {
    expect(reasonWords("http_404 entity_not_found")).toContain("organization does not exist");
    expect(shortReason("http_404 entity_not_found")).toBe("WorkOS answered 404");
    expect(reasonWords("something_new")).toBeUndefined();
  });

  it.each([
    [{ class: "rejected", state: "open", status: 404, reason: "http_404", wrote: "no" }, "another organization"],
    [{ class: "rejected", state: "open", status: 413, reason: "http_413", wrote: "no" }, "large metadata field"],
    [{ class: "rejected", state: "open", status: 400, reason: "http_400", wrote: "no" }, "schemas push"],
    [{ class: "exhausted", state: "open", reason: "http_503", wrote: "maybe" }, "may hold the event already"],
    [{ class: "exhausted", state: "open", reason: "paused_by_operator after", wrote: "no" }, "resume it"],
    [{ class: "credential", state: "open", reason: "http_401", wrote: "no" }, "WORKOS_API_KEY"],
    [{ class: "unreadable", state: "open", reason: "unreadable", wrote: "no" }, "QSTASH_TOKEN"],
    [{ class: "toString", state: "open", reason: "of a newer worker", wrote: "no" }, "Check that WorkOS answers"],
    [{ class: "rejected", state: "discarded", reason: "http_400", wrote: "no" }, "Nothing"],
  ])("%j leads to %j", (failed, advice) => {
    expect(adviceFor(failed).join(" ")).toContain(advice);
  });
});

it("sums counts, and takes the newest value of what is sampled", () => {
  expect(
    totalOf([
      [0, 2],
      [60, 3],
    ]),
  ).toBe(5);
  expect(
    newestOf([
      [0, 2],
      [60, 0],
    ]),
  ).toBe(0);
  expect([newestOf([]), totalOf(undefined)]).toEqual([undefined, 0]);
  expect(["1h", "toString", null].map(rangeNamed)).toEqual(["1h", "24h", "24h"]);
});

describe("the replacements of a mend", () => {
  const row = (key: number, from: string, to: string, field: (typeof MAPPED)[number] = "action") => ({
    key,
    field,
    from,
    to,
  });

  it("know the fields that the worker can map", () => {
    expect(REPLACED_FIELDS.map(({ field }) => field)).toEqual(MAPPED);
  });

  it("become one map for each field, without rows that are not filled in", () => {
    const replacements = [
      row(1, "a.old", " a.new "),
      row(2, "", " "),
      row(3, "org_1 ", "org_1", "organization"),
      row(4, "b.old", "b.new"),
      row(5, "__proto__", "user", "actor.type"),
    ];
    expect(replacementProblem(replacements)).toBeUndefined();
    expect(JSON.stringify(mendBody({ ...EMPTY_MEND_FORM, replacements }))).toBe(
      '{"map":{"action":{"a.old":"a.new","b.old":"b.new"},"organization":{"org_1 ":"org_1"},"actor.type":{"__proto__":"user"}}}',
    );
    expect(mendBody({ ...EMPTY_MEND_FORM, replacements: [row(1, "", "")] })).toEqual({});
  });

  it.each([
    ["no old value", [row(1, "", "a.new")], "needs both"],
    ["no new value", [row(1, "a.old", " ")], "needs both"],
    ["the same old value twice", [row(1, "a", "b"), row(2, "a", "c")], 'Two replacements have the old value "a"'],
  ])("with %s say so", (_, rows, said) => {
    expect(replacementProblem(rows)).toContain(said);
  });

  it("may have the same old value in two fields", () => {
    expect(replacementProblem([row(1, "user", "person", "actor.type"), row(2, "user", "person", "targets.type")])).toBe(
      undefined,
    );
  });

  it("are told apart after one of them is removed", () => {
    expect(newReplacement([row(2, "", ""), row(7, "", "")]).key).toBe(8);
  });
});
