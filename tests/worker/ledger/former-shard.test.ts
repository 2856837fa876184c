/** When a shard asks its former one: only about ids that may be there. */
import { expect, it } from "vitest";
import { mintEventId } from "../../../shared/event-id.ts";
import { LEDGER_RETENTION_MS } from "../../../shared/limits.ts";
import { FormerShard } from "../../../worker/ledger/former-shard.ts";

const NOW = 1_800_000_000_000;
const DAY = 86_400_000;
const idAt = (ms: number) => mintEventId(ms, new Uint8Array(9), 37);

function shard({ hadRows = true, hasFormer = true } = {}) {
  const notes = new Map<string, number>();
  const calls: string[] = [];
  const state = { nowMs: NOW, here: [] as string[] };
  const stub = {
    hadRows: () => (calls.push("hadRows"), Promise.resolve(hadRows)),
    holds: (ids: readonly string[]) => (calls.push(`holds ${ids.length}`), Promise.resolve(ids)),
  };
  const make = () =>
    new FormerShard({
      notes: { get: (name) => notes.get(name), put: (name, value) => void notes.set(name, value) },
      now: () => state.nowMs,
      find: () => (hasFormer ? stub : undefined),
      holdsHere: (ids) => ids.filter((id) => state.here.includes(id)),
    });
  const ask = async (former: ReturnType<typeof make>, ...ids: string[]) => {
    const parts = await former.each(
      ids,
      (id) => id,
      (own) => `${own.length} here`,
      (_, others) => Promise.resolve(`${others.length} there`),
    );
    return parts.toSorted();
  };
  return { make, ask, calls, state };
}

it("asks about older ids, foreign ids, and ids of the first day, and about none that it holds", async () => {
  const { make, ask, calls, state } = shard();
  const former = make();
  expect(await ask(former, idAt(NOW - DAY), "foreign", idAt(NOW + DAY - 1))).toEqual(["3 there"]);
  expect(await ask(former, idAt(NOW + DAY), idAt(NOW - 1))).toEqual(["1 here", "1 there"]);
  state.here = [idAt(NOW - 2)];
  expect(await ask(former, idAt(NOW - 2))).toEqual(["1 here"]);
  state.nowMs = NOW + 2 * DAY;
  expect(await ask(former, idAt(NOW + DAY))).toEqual(["1 here"]);
  expect(await ask(make(), idAt(NOW - 1))).toEqual(["1 there"]);
  expect(calls).toEqual(["hadRows", "holds 3", "holds 1", "holds 1"]);
});

it("asks nothing once the old records are past their retention", async () => {
  const { make, ask, calls, state } = shard();
  const former = make();
  await ask(former, idAt(NOW));
  expect(former.isOver).toBe(false);
  state.nowMs = NOW + DAY + LEDGER_RETENTION_MS + 1;
  expect(former.isOver).toBe(true);
  expect(await ask(former, idAt(NOW))).toEqual(["1 here"]);
  expect(calls).toEqual(["hadRows", "holds 1"]);
});

it("asks once on a new installation, and remembers it", async () => {
  const { make, ask, calls } = shard({ hadRows: false });
  expect(await ask(make(), idAt(NOW - DAY))).toEqual(["1 here"]);
  expect(make().isOver).toBe(true);
  expect(calls).toEqual(["hadRows"]);
});

it("asks nobody where the shard is the same as before", async () => {
  const { make, ask, calls } = shard({ hasFormer: false });
  const former = make();
  expect(await ask(former, idAt(NOW - DAY))).toEqual(["1 here"]);
  expect(former.isOver).toBe(true);
  expect(calls).toEqual([]);
});
