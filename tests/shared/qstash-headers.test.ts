import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deduplicationId, type Identified, publishDelaySeconds, publishHeaders } from "../../shared/qstash-headers.ts";

const outcome = (id: string): Identified => ({ id, stage: "outcome" });

describe("deduplicationId", () => {
  it.each<[string, readonly Identified[], string]>([
    ["one record: its event id", [outcome("e1")], "e1"],
    ["an intent", [{ id: "e1", stage: "intent" }], "e1_intent"],
    ["a watchdog's record", [{ id: "e1", stage: "watchdog" }], "e1_watchdog"],
    ["a replay", [{ id: "e1", stage: "outcome", replay: { n: 2 } }], "e1_r2"],
    ["an intent's replay", [{ id: "e1", stage: "intent", replay: { n: 1 } }], "e1_intent_r1"],
  ])("%s", (_name, records, id) => {
    expect(deduplicationId(records)).toBe(id);
  });

  it("is the same for the same records, and another for others, in another order too", () => {
    const ids = fc.uniqueArray(fc.uuid({ version: 7 }), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(ids, fc.uuid({ version: 7 }), (list, other) => {
        const records = list.map(outcome);
        const id = deduplicationId(records);
        expect(id).toBe(deduplicationId(records.map((one) => ({ ...one }))));
        expect(id.startsWith(`${list[0]}_x${list.length}-`)).toBe(true);
        expect(deduplicationId([...records.slice(0, -1), outcome(other)])).not.toBe(id);
        expect(deduplicationId(records.slice(0, -1))).not.toBe(id);
        expect(deduplicationId(records.toReversed())).not.toBe(id);
        // QStash refuses a colon.
        expect(id).toMatch(/^[\w-]+$/);
      }),
    );
  });

  it("needs a record", () => {
    expect(() => deduplicationId([])).toThrow(new RangeError('"records" is empty'));
  });
});

describe("publishDelaySeconds", () => {
  it("holds back only what an outcome may still follow, and a watchdog's record longer than an origin may take", () => {
    expect(publishDelaySeconds([outcome("a")])).toBe(0);
    expect(publishDelaySeconds([{ id: "a", stage: "intent" }])).toBeGreaterThanOrEqual(60);
    expect(publishDelaySeconds([{ id: "a", stage: "watchdog" }])).toBeGreaterThan(180);
    expect(publishDelaySeconds([{ id: "a", stage: "watchdog" }, outcome("b")])).toBe(0);
  });
});

describe("publishHeaders", () => {
  it("names a delay only where there is one, and takes the given pace", () => {
    const given = { workerUrl: "https://w.test", deduplicationId: "e1" };
    expect(publishHeaders(given)).not.toHaveProperty("upstash-delay");
    expect(
      publishHeaders({ ...given, delaySeconds: 120, flowControlKey: "k", rate: 5, parallelism: 2, retries: 5 }),
    ).toMatchObject({
      "upstash-delay": "120s",
      "upstash-flow-control-key": "k",
      "upstash-flow-control-value": "parallelism=2, rate=5, period=1s",
      "upstash-retries": "5",
    });
  });
});
