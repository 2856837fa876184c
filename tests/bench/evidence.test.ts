import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { EVENTS_PER_QUARTER, makeEvidence } from "../../bench/evidence/sealed-evidence.ts";
import { type Measured, report } from "../../bench/evidence/part.ts";
import { verifyEvidence } from "../../verifier/verify.mjs";

const checked = { ok: true, events: 100_000, found: 100_000, wallMs: 3_000, cpuMs: 3_500, mostMegabytes: 200 };
const large = { ...checked, events: 1_000_000, found: 1_000_000, wallMs: 30_000, cpuMs: 35_000, mostMegabytes: 450 };
const measured: Measured = {
  checks: [checked, large],
  pack: { events: 100_000, bytes: 9_000_000, exportBytes: 60_000_000, wallMs: 1_000 },
  sealMs: [60, 70, 80],
};

describe("report", () => {
  const metOf = (more: object) =>
    report({ ...measured, checks: [checked, { ...large, ...more }] }).goals.map(({ met }) => met);

  it("compares with the limits of the contract", () => {
    expect(report(measured).goals.map(({ figure }) => figure)).toEqual(["35.0 s", "30.0 s", "250 MB"]);
    expect(metOf({})).toEqual([true, true, true]);
    expect(metOf({ cpuMs: 120_001 })).toEqual([false, true, true]);
    expect(metOf({ wallMs: 60_001 })).toEqual([true, false, true]);
    expect(metOf({ mostMegabytes: 451 })).toEqual([true, true, false]);
  });

  it("meets no goal if the check found something wrong", () => {
    expect(metOf({ found: 999_999 })).toEqual([false, false, false]);
    expect(metOf({ ok: false })).toEqual([false, false, false]);
  });
});

describe("what is measured", () => {
  const under = mkdtempSync(join(tmpdir(), "audit-forwarder-bench-"));
  afterAll(() => rmSync(under, { recursive: true, force: true }));

  it("is evidence that the verifier accepts, and exports that hold all of it", async () => {
    const { folder, key, exports } = await makeEvidence(under, 1, () => undefined);
    const result = await verifyEvidence({ evidence: folder, key, exports });
    const whole = { events: EVENTS_PER_QUARTER, found: EVENTS_PER_QUARTER, uncompared: 0, grade: "signed" };
    expect(result).toMatchObject({ ok: true, ...whole });
  });
});
