import { describe, expect, it } from "vitest";
import { paceMs, publishHeaders } from "../../../shared/publish-headers.ts";
import { Pace, readPaceMs } from "../../../worker/deliver/pace.ts";

/** A clock that its own sleeps move, and the times at which turns came. */
function stage(paceOfOne: number, count = 20) {
  let nowMs = 1_000;
  const sleeps: number[] = [];
  const ports = {
    now: () => nowMs,
    sleep: async (ms: number) => {
      sleeps.push(ms);
      const until = nowMs + ms;
      await Promise.resolve();
      nowMs = Math.max(nowMs, until);
    },
  };
  return { pace: new Pace(paceOfOne, count, ports), now: () => nowMs, sleeps, pass: (ms: number) => (nowMs += ms) };
}

describe("Pace", () => {
  it("starts five requests together, then waits for their share of the rate", async () => {
    const { pace, now, sleeps } = stage(100);
    const startedMs: number[] = [];
    for (let i = 0; i < 11; i++) {
      await pace.turn();
      startedMs.push(now() - 1_000);
    }
    expect(startedMs).toEqual([0, 0, 0, 0, 0, 500, 500, 500, 500, 500, 1_000]);
    expect(sleeps).toEqual([500, 500]);
  });

  it("lets the lanes of a message share one timer", async () => {
    const { pace, sleeps } = stage(100);
    await Promise.all(Array.from({ length: 10 }, async () => pace.turn()));
    expect(sleeps).toEqual([500]);
  });

  it("holds the message until all of its requests have had their time", async () => {
    const { pace, now } = stage(100);
    for (let i = 0; i < 7; i++) await pace.turn();
    await pace.end();
    expect(now() - 1_000).toBe(700);
  });

  it("does not wait where the requests themselves took longer", async () => {
    const { pace, sleeps, pass } = stage(100);
    for (let i = 0; i < 6; i++) {
      await pace.turn();
      pass(200);
    }
    await pace.end();
    expect(sleeps).toEqual([]);
  });

  it("never waits for a pace of 0, or where nothing was sent", async () => {
    const unpaced = stage(0);
    for (let i = 0; i < 20; i++) await unpaced.pace.turn();
    await unpaced.pace.end();
    const unused = stage(100);
    await unused.pace.end();
    expect([...unpaced.sleeps, ...unused.sleeps]).toEqual([]);
  });
});

it("never holds a message so long that its last requests would start too late for the lease", async () => {
  const { pace, now } = stage(10_000, 100);
  for (let i = 0; i < 100; i++) await pace.turn();
  await pace.end();
  expect(now() - 1_000).toBe(12_000);
});

describe("readPaceMs", () => {
  it.each([
    ["125", 125],
    ["0", 0],
    ["1000", 1_000],
    [null, 0],
    ["", 0],
    ["fast", 0],
    ["-1", 0],
    ["NaN", 0],
    ["Infinity", 0],
  ])("%j is %d ms", (header, expected) => {
    expect(readPaceMs(header)).toBe(expected);
  });
});

it("is sent along with every message, as the share of one delivery in the rate", () => {
  const options = { workerUrl: "https://worker.example", deduplicationId: "d" };
  expect(publishHeaders(options)["upstash-forward-audit-pace-ms"]).toBe("125");
  expect(publishHeaders({ ...options, rate: 100 })["upstash-forward-audit-pace-ms"]).toBe("100");
  expect(publishHeaders({ ...options, rate: 90, parallelism: 20 })["upstash-forward-audit-pace-ms"]).toBe("223");
  expect(paceMs()).toBe(125);
});

it("goes with the number of retries, which QStash does not tell the worker", () => {
  const options = { workerUrl: "https://worker.example", deduplicationId: "d" };
  for (const retries of [undefined, 5]) {
    const headers = publishHeaders({ ...options, retries });
    expect(headers["upstash-forward-audit-retries"]).toBe(String(retries ?? 3));
    expect(headers["upstash-forward-audit-retries"]).toBe(headers["upstash-retries"]);
  }
});
