import { describe, expect, it } from "vitest";
import { FAULTS, planFaults, seededRandom } from "../../../dev/drill/plan.ts";

const nameOf = ({ kind, part }: { kind: string; part: string }) => `${kind} ${part}`;

describe("the plan of a drill", () => {
  it.each([20_000, 60_000, 180_000, 600_000])("holds every fault within %d ms", (lengthMs) => {
    const plan = planFaults(lengthMs, seededRandom(7));
    expect([...new Set(plan.map(nameOf))].toSorted()).toEqual(FAULTS.map(nameOf).toSorted());
    expect(plan.every(({ atMs, lastsMs }) => atMs >= 0 && lastsMs > 0 && atMs + lastsMs <= lengthMs)).toBe(true);
  });

  it("lets one fault end before the next begins", () => {
    const plan = planFaults(180_000, seededRandom(8));
    const gaps = plan.slice(1).map(({ atMs }, i) => atMs - (plan[i]?.atMs ?? 0) - (plan[i]?.lastsMs ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(0);
  });

  it("is decided by the seed alone", () => {
    expect(planFaults(60_000, seededRandom(3))).toEqual(planFaults(60_000, seededRandom(3)));
    expect(planFaults(60_000, seededRandom(3))).not.toEqual(planFaults(60_000, seededRandom(4)));
  });

  it("never turns the queue's clock back", () => {
    const jumps = Array.from({ length: 50 }, (_, seed) => planFaults(60_000, seededRandom(seed))).flat();
    const queue = jumps.filter(({ kind, part }) => kind === "clock" && part === "queue");
    const workos = jumps.filter(({ kind, part }) => kind === "clock" && part === "workos");
    expect(Math.min(...queue.map(({ jumpMs }) => jumpMs ?? -1))).toBeGreaterThanOrEqual(0);
    expect(Math.min(...workos.map(({ jumpMs }) => jumpMs ?? 0))).toBeLessThan(0);
  });
});
