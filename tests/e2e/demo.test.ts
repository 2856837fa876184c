import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { HEALTHY_CALLS, OUTAGE_CALLS } from "../../dev/demo/calls.ts";
import { allGone, run, until } from "./processes.ts";

describe("npm run demo", () => {
  it("follows every call to exactly one event and proves it, tells it as JSON, exits 0 and leaves no process", async () => {
    const mark = randomUUID();
    const demo = run("dev/demo.ts", ["--json"], mark);
    expect(await demo.ended, demo.stderr()).toBe(0);
    const report = JSON.parse(demo.stdout());
    const calls = [...HEALTHY_CALLS, ...OUTAGE_CALLS, ...OUTAGE_CALLS];
    expect(report).toMatchObject({
      ok: true,
      requests: calls.length,
      asTheApiAnswers: calls.length,
      arrivedOnce: calls.length,
      missing: 0,
      duplicates: 0,
      strays: 0,
      evidence: { isWhole: true, isChangeFound: true },
    });
    expect(
      report.calls.map((call: { events: { event: { action: string } }[] }) => call.events.map((e) => e.event.action)),
    ).toEqual(calls.map((call) => [call.expectAction]));
    const children = calls.flatMap(({ expectChildAction }) => expectChildAction ?? []);
    expect(
      report.calls.flatMap((call: { children: { event: { action: string } }[] }) =>
        call.children.map((e) => e.event.action),
      ),
    ).toEqual(children);
    // Each outage call was tried before and after.
    expect(report.evidence.proved).toBe(calls.length + children.length);
    expect(report.workosRequests).toBe(calls.length + children.length + OUTAGE_CALLS.length);
    await allGone(mark);
  });

  it("is plain text in a pipe and ends with the summary", async () => {
    const demo = run("dev/demo.ts", [], randomUUID());
    expect(await demo.ended, demo.stderr()).toBe(0);
    expect(demo.stdout()).not.toContain("\u001b[");
    expect(demo.stdout()).toContain("arrived in WorkOS exactly once");
    const [, evidence = ""] = demo.stdout().split("\n4  The evidence");
    expect(evidence).toMatch(
      / verify --since .+\n.+ 0 missing, [^]+\n    ok: nothing was removed, changed or added\n[^]+ verify --evidence .+\n[^]+\n    altered: 1\n      \S+ \/event\/actor\/id\n    NOT OK\n/,
    );
    expect(demo.stdout().trimEnd().split("\n").at(-1)).toBe("Every event arrived exactly once.");
  });

  it("stops everything on SIGINT and says so with 130", async () => {
    const mark = randomUUID();
    const demo = run("dev/demo.ts", [], mark);
    await until(() => demo.stdout().includes("ready after"), demo.stdout);
    demo.child.kill("SIGINT");
    expect(await demo.ended).toBe(130);
    await allGone(mark);
  });

  it("refuses an option that it does not know", async () => {
    const demo = run("dev/demo.ts", ["--jsno"], randomUUID());
    expect(await demo.ended).toBe(2);
    expect(demo.stderr()).toMatch(/^error\[invalid_option\]: .*--jsno/);
  });
});
