import { describe, expect, it } from "vitest";
import { drain } from "../../bench/drain/simulate.ts";
import { virtualWorkos } from "../../bench/drain/workos.ts";
import { VirtualTime } from "../../bench/virtual-time.ts";

const PER_MINUTE = { requests: 6_000, windowMs: 60_000 };

describe("drain", () => {
  it.each([1, 20])("stores every record after a burst at the rate, %d in a message", async (recordsPerMessage) => {
    const drained = await drain({ records: 1_000, recordsPerMessage, rate: 100, limit: PER_MINUTE });
    expect(drained).toMatchObject({ events: 1_000, deadLetters: 0, refusedByWorkos: 0, retries: 0 });
    expect(drained.seconds).toBeGreaterThan(3.5);
    expect(drained.seconds).toBeLessThan(6);
  });

  it("follows the worker's rate", async () => {
    const secondsAt = async (rate: number) =>
      (await drain({ records: 1_000, recordsPerMessage: 20, rate, limit: PER_MINUTE })).seconds;
    expect(await secondsAt(40)).toBeGreaterThan(2 * (await secondsAt(100)));
  });

  it("shows a limit that is lower than the rate: refusals, retried deliveries, and still every event", async () => {
    const limit = { requests: 30, windowMs: 60_000 };
    const drained = await drain({ records: 40, recordsPerMessage: 20, rate: 100, limit });
    expect(drained.refusedByWorkos).toBeGreaterThan(0);
    expect(drained.retries).toBeGreaterThan(0);
    expect(drained).toMatchObject({ events: 40, deadLetters: 0 });
  });

  it("counts the dead letters that a limit makes which no schedule of retries can meet", async () => {
    const limit = { requests: 1, windowMs: 30 * 86_400_000 };
    const drained = await drain({ records: 3, recordsPerMessage: 1, rate: 100, limit });
    expect(drained).toMatchObject({ events: 1, deadLetters: 2 });
  });
});

it("refuses what goes over the limit of a window, and stores an event once for its key", async () => {
  const time = new VirtualTime(0);
  const workos = virtualWorkos(time, { requests: 2, windowMs: 1_000 });
  const answers = ["a", "a", "b"].map((key) => workos.send("{}", key));
  await time.run();
  const statuses = (await Promise.all(answers)).map(({ answer }) => answer.kind === "response" && answer.status);
  expect(statuses).toEqual([200, 200, 429]);
  expect([...workos.stored.keys()]).toEqual(["a"]);
  expect(workos.refused()).toBe(1);
});
