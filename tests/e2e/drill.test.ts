import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { FAULTS } from "../../dev/drill/plan.ts";
import type { DrillReport } from "../../dev/drill/run.ts";
import { allGone, run } from "./processes.ts";

it("loses no acknowledged record and doubles none while every part is killed, stopped and broken", async () => {
  const mark = randomUUID();
  const drill = run("dev/drill.ts", ["--seconds", "20", "--rate", "15", "--seed", "20261130", "--json"], mark);
  const exitCode = await drill.ended;
  const report = JSON.parse(drill.stdout()) as DrillReport;
  expect(report.histories).toEqual({});
  expect(exitCode).toBe(0);
  expect(report.verdict).toMatchObject({ ok: true, missing: [], twice: [], both: [], orphans: [] });
  // The faults were there and hit something, so that the verdict says something.
  expect(report.faults).toHaveLength(FAULTS.length);
  expect(report.refused).toBeGreaterThan(0);
  expect(report.verdict.delivered).toBeGreaterThan(0);
  await allGone(mark);
});

it.each([
  [["--seconds", "5"], '"seconds" must be a whole number of at least 20'],
  [["--rate", "0"], '"rate" must be a whole number of at least 1'],
  [["--seed", "x"], '"seed" must be a whole number of at least 0'],
  [["--unknown"], "Unknown option"],
])("refuses %j before anything starts", async (args, message) => {
  const drill = run("dev/drill.ts", args, randomUUID());
  expect(await drill.ended).toBe(2);
  expect(drill.stderr()).toContain("error[invalid_option]");
  expect(drill.stderr()).toContain(message);
});
