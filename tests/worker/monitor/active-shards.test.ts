import { expect, it } from "vitest";
import { LEDGER_SHARDS } from "../../../shared/limits.ts";
import { ActiveShards } from "../../../worker/monitor/active-shards.ts";

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;

function world() {
  const kept = new Map<string, object>();
  let writes = 0;
  const store = {
    get: (key: string) => structuredClone(kept.get(key)),
    put: (key: string, value: object) => ((writes += 1), void kept.set(key, structuredClone(value))),
  };
  return { start: (nowMs: number) => new ActiveShards(store, nowMs), writes: () => writes };
}
const all = Array.from({ length: LEDGER_SHARDS }, (_, shard) => shard);

it("asks every shard at first, and later only those that deliveries named or in which something waits", () => {
  const { start } = world();
  const shards = start(NOW);
  expect(shards.list()).toEqual(all);
  shards.release(all, NOW + 10 * MINUTE);
  expect(shards.list()).toEqual(all);
  shards.name([5, 37], NOW + 20 * MINUTE);
  // Something waits in shard 9.
  shards.release(
    all.filter((shard) => shard !== 9),
    NOW + 21 * MINUTE,
  );
  expect(shards.list()).toEqual([5, 9, 37]);
  shards.release(all, NOW + 40 * MINUTE);
  expect(shards.list()).toEqual([]);
  shards.name([3], NOW + 41 * MINUTE);
  expect(shards.list()).toEqual([3]);
});

it("keeps a shard while a delivery that named it may still be under way", () => {
  const shards = world().start(NOW);
  shards.release(all, NOW + 16 * MINUTE);
  shards.name([1], NOW + 20 * MINUTE);
  // Its stored time may be five minutes old.
  shards.name([1], NOW + 25 * MINUTE);
  shards.release([1], NOW + 35 * MINUTE);
  expect(shards.list()).toEqual([1]);
  shards.release([1], NOW + 36 * MINUTE);
  expect(shards.list()).toEqual([]);
});

it("survives a restart, and writes at most once in five minutes for the same shards", () => {
  const { start, writes } = world();
  start(NOW).release(all, NOW + 16 * MINUTE);
  const before = writes();
  let shards = start(NOW + 17 * MINUTE);
  for (let i = 0; i < 100; i++) {
    shards.name([4], NOW + 17 * MINUTE + i * 1_000);
    if (i % 10 === 0) shards = start(NOW + 17 * MINUTE + i * 1_000);
  }
  expect(writes() - before).toBe(1);
  expect(start(NOW + 20 * MINUTE).list()).toEqual([4]);
});
