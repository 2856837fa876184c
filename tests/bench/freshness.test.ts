import { describe, expect, it } from "vitest";
import { delaysOf } from "../../bench/freshness/measure.ts";
import { type Measured, report } from "../../bench/freshness/part.ts";
import type { Subject } from "../../bench/freshness/subjects.ts";
import type { StoredEvent } from "../../dev/workos/types.ts";

function stored(requestId: string, receivedAtMs: number): StoredEvent {
  return { event: { metadata: { request_id: requestId } }, received_at_ms: receivedAtMs } as unknown as StoredEvent;
}

describe("delaysOf", () => {
  it("pairs each request with its event, whatever the order", () => {
    const sent = [
      { requestId: "a", startedAtMs: 1_000 },
      { requestId: "b", startedAtMs: 1_010 },
    ];
    const delays = delaysOf(sent, [stored("b", 1_100), stored("other", 1_000), stored("a", 1_250)]);
    expect(delays).toEqual({ delaysMs: [250, 90], lost: 0, doubled: 0 });
  });

  it("finds the event of the documented policy by the field that it keeps", () => {
    const event = { event: { metadata: { extra: "a" } }, received_at_ms: 70 } as unknown as StoredEvent;
    expect(delaysOf([{ requestId: "a", startedAtMs: 20 }], [event])).toMatchObject({ delaysMs: [50], lost: 0 });
  });

  it("counts a lost event and one stored twice, whose first arrival is its delay", () => {
    const sent = [
      { requestId: "a", startedAtMs: 0 },
      { requestId: "b", startedAtMs: 0 },
    ];
    const delays = delaysOf(sent, [stored("a", 40), stored("a", 90)]);
    expect(delays).toEqual({ delaysMs: [40], lost: 1, doubled: 1 });
  });
});

describe("report", () => {
  const load = { name: "20 a second", requests: 3, perSecond: 20, p50MaxMs: 150, p99MaxMs: 500 };
  const measured = (delaysMs: readonly number[], lost = 0, workosMs = 50, subject: Subject = "ours"): Measured => ({
    subject,
    load,
    workosMs,
    delays: { delaysMs, lost, doubled: 0 },
  });
  const met = (...results: Measured[]) => report(results).goals.map((goal) => goal.met);

  it("meets p50 and p99 each by its own limit", () => {
    expect(met(measured([100, 100, 499]))).toEqual([true, true]);
    expect(met(measured([100, 100, 900]))).toEqual([true, false]);
    expect(met(measured([160, 160, 499]))).toEqual([false, true]);
  });

  it("misses every goal if an event is lost, however fast the others were", () => {
    const { goals } = report([measured([10, 10], 1)]);
    expect(goals.map((goal) => goal.met)).toEqual([false, false]);
    expect(goals[0]?.figure).toContain("1 lost");
  });

  it("misses its goals if nothing was stored", () => {
    expect(met(measured([], 3))).toEqual([false, false]);
  });

  it("shows the slow WorkOS in a table of its own without a goal", () => {
    const { goals, tables } = report([measured([100]), measured([300], 0, 200)]);
    expect(goals).toHaveLength(2);
    expect(tables.map(({ title, rows }) => [title, rows[0]?.[3]])).toEqual([
      ["WorkOS answers in 50 ms", "100"],
      ["WorkOS answers in 200 ms", "300"],
    ]);
  });

  it("shows the peers beside ours in a fixed order, without goals of theirs", () => {
    const of = (subject: Subject) => measured([900], 0, 50, subject);
    const { goals, tables, charts } = report([of("documented"), of("sdk"), measured([100])]);
    expect(goals.map((goal) => goal.met)).toEqual([true, true]);
    expect(tables[0]?.rows.map(([, policy, , p50]) => [policy, p50])).toEqual([
      ["ours", "100"],
      ["`publishJSON`, `Receiver`, `createEvent`", "900"],
      ["documented WorkOS policy", "900"],
    ]);
    expect(charts?.[0]?.bars.map(({ value }) => value)).toEqual([100, 900, 900]);
  });
});
