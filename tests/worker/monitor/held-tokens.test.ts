import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HELD_MAX, HeldTokens } from "../../../worker/monitor/held-tokens.ts";
import type { Turn } from "../../../worker/monitor/pause.ts";
import { Pace } from "../../../worker/monitor/pace.ts";
import { BURST_EVENTS } from "../../../worker/monitor/token-bucket.ts";

const START_MS = 1_800_000_000_000;
const RATE = 80;
const STEADY_MS = 1_000 / RATE;
const AT_ONCE: Turn = { pause: null, waitMs: 0, isWatched: false };

/** Isolates that share one bucket. */
class Fleet {
  readonly pace = new Pace({ get: () => undefined, put: () => undefined });
  readonly held: readonly HeldTokens[];
  readonly rate: number;
  calls = 0;
  /** When each event may start, ms since the start. */
  readonly starts: number[] = [];

  constructor(isolates: number, rate = RATE) {
    this.held = Array.from({ length: isolates }, () => new HeldTokens());
    this.rate = rate;
  }

  async take(isolate: number, count: number, atMs: number): Promise<void> {
    const nowMs = START_MS + atMs;
    const held = this.held[isolate % this.held.length];
    const turn = await held?.turn(count, [0], nowMs, (wanted, unused) => {
      this.calls += 1;
      const waitMs = this.pace.take(count, this.rate, Infinity, nowMs, unused);
      return Promise.resolve({ ...AT_ONCE, waitMs, lent: this.pace.lend(wanted, this.rate) });
    });
    for (let event = 0; event < count; event++) this.starts.push(atMs + (turn?.waitMs ?? 0));
  }

  /** Single events at a steady gap; returns when the next would come. */
  async steady(fromMs: number, untilMs: number, gapMs: number): Promise<number> {
    let atMs = fromMs;
    for (let message = 0; atMs < untilMs; message++, atMs += gapMs) await this.take(message, 1, atMs);
    return atMs;
  }
}

/** The events that go out beyond what the rate allows, at most, in any span. */
function largestBurst(starts: readonly number[], rate: number): number {
  let level = 0;
  let most = 0;
  let lastMs = 0;
  for (const atMs of starts.toSorted((a, b) => a - b)) {
    level = Math.max(0, level - ((atMs - lastMs) * rate) / 1_000) + 1;
    lastMs = atMs;
    most = Math.max(most, level);
  }
  return most;
}

describe("an isolate with steady traffic", () => {
  it("asks a few times a second, however many messages come", async () => {
    const fleet = new Fleet(1);
    await fleet.steady(0, 10_000, STEADY_MS);
    expect(fleet.starts).toHaveLength(800);
    expect(fleet.calls).toBeLessThan(60);
  });

  it("asks for each message of a few a second", async () => {
    const fleet = new Fleet(1);
    await fleet.steady(0, 10_000, 500);
    expect(fleet.calls).toBe(20);
  });

  it("asks for each message while the bucket is not half full", async () => {
    const fleet = new Fleet(1);
    await fleet.take(0, 320, 0);
    await fleet.steady(0, 1_000, STEADY_MS);
    expect(fleet.calls).toBe(81);
  });

  it("gives back what it did not use", async () => {
    const fleet = new Fleet(1);
    let atMs = 0;
    // 71 events a second, in groups that end where the isolate has just taken more tokens.
    for (let group = 0; group < 200; group++) atMs = (await fleet.steady(atMs, atMs + 100, 4)) + 250;
    await fleet.take(0, 500, atMs);
    expect(fleet.starts.at(-1)).toBe(atMs);
  });

  /** What an isolate does with a call that lends it tokens. */
  const lends = (lent: number) => () => Promise.resolve({ ...AT_ONCE, lent });
  const isAsked = async (held: HeldTokens, count: number, shards: readonly number[], nowMs: number) => {
    let asked: { wanted: number; unused: number } | undefined;
    await held.turn(count, shards, nowMs, (wanted, unused) => {
      asked = { wanted, unused };
      return Promise.resolve(AT_ONCE);
    });
    return asked;
  };

  it.each([250, -1])("asks %i ms after the last call", async (laterMs) => {
    const held = new HeldTokens();
    await held.turn(1, [0], START_MS, lends(10));
    expect(await isAsked(held, 1, [0], START_MS + 249)).toBeUndefined();
    expect(await isAsked(held, 1, [0], START_MS + laterMs)).toBeDefined();
  });

  it.each([
    ["a shard that it has not named", 1, [0, 1, 2]],
    ["more events than it has tokens for", 11, [0]],
    ["no events, to learn whether delivery is paused", 0, []],
  ])("asks for %s", async (_name, count, shards) => {
    const held = new HeldTokens();
    await held.turn(1, [0, 1], START_MS, lends(10));
    expect(await isAsked(held, 10, [1], START_MS)).toBeUndefined();
    await held.turn(11, [0, 1], START_MS, lends(10));
    expect(await isAsked(held, count, shards, START_MS)).toBeDefined();
  });

  it("names a shard again after a minute", async () => {
    const held = new HeldTokens();
    await held.turn(1, [0, 1], START_MS, lends(10));
    await held.turn(11, [0], START_MS + 59_999, lends(10));
    expect(await isAsked(held, 1, [1], START_MS + 59_999)).toBeUndefined();
    expect(await isAsked(held, 1, [1], START_MS + 60_000)).toBeDefined();
  });

  it("wants tokens in one call at a time, and no more than it may hold", async () => {
    const held = new HeldTokens();
    await held.turn(100, [0], START_MS, lends(0));
    const answer = Promise.withResolvers<Turn>();
    const wants: number[] = [];
    const ask = (wanted: number) => {
      wants.push(wanted);
      return answer.promise;
    };
    const turns = [held.turn(100, [0], START_MS, ask), held.turn(7, [0], START_MS, ask)];
    answer.resolve({ ...AT_ONCE, lent: HELD_MAX });
    await Promise.all(turns);
    expect(wants).toEqual([HELD_MAX, 0]);
    expect(await isAsked(held, 1, [0], START_MS + 500)).toEqual({ wanted: 0, unused: 0 });
  });
});

it.each([1, 10, 80, 100])("no isolates together send more than a burst and the rate, at %i a second", async (rate) => {
  const plan = fc.record({
    isolates: fc.integer({ min: 1, max: 6 }),
    gapMs: fc.integer({ min: 1, max: 40 }),
    idleMs: fc.integer({ min: 0, max: 700 }),
    burst: fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.constantFrom(1, 2, 20)), { maxLength: 200 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ isolates, gapMs, idleMs, burst }) => {
      const fleet = new Fleet(isolates, rate);
      let atMs = (await fleet.steady(0, 1_500, gapMs)) + idleMs;
      for (const [index, [laterMs, count]] of burst.entries()) await fleet.take(index, count, (atMs += laterMs % 7));
      for (let message = 0; message < 700; message++) await fleet.take(message, 1, atMs);
      expect(largestBurst(fleet.starts, rate)).toBeLessThanOrEqual(BURST_EVENTS + 1);
    }),
  );
});
