/** The monitor as a real Durable Object remembers which shards of the ledger to ask. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { mintEventId } from "../../../shared/event-id.ts";
import { ledgerPort, shardsOf } from "../../../worker/ledger/client.ts";
import { monitor, takeTurn } from "../../../worker/monitor/client.ts";
import { watch } from "../../../worker/health/watch.ts";
import { workerEnv } from "../support/api.workerd.ts";

const NOW = 1_796_000_000_000;
const MINUTE = 60_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOW }));
afterEach(() => void vi.useRealTimers());

it("asks idle shards no more after a quiet while, and one in which a record waits until it is gone", async () => {
  const stub = monitor(workerEnv);
  expect(await stub.activeShards()).toHaveLength(64);
  const id = mintEventId(NOW, new Uint8Array(9), 37);
  expect(shardsOf([id])).toEqual([37, 5]);
  await takeTurn(workerEnv, 1, shardsOf([id]), NOW);
  const port = ledgerPort(workerEnv);
  await port.claim("lease", [{ id, stage: "outcome", body: "{}", occurredAtMs: NOW }], NOW);
  const attempt = { atMs: NOW, durationMs: 1, outcome: "retry", wrote: "maybe", reason: "timeout" } as const;
  await port.settle("lease", [{ id, attempt }], NOW);
  vi.setSystemTime(NOW + 16 * MINUTE);
  await watch(workerEnv, Date.now());
  expect(await stub.activeShards()).toEqual([37]);
  expect((await stub.incidents()).map(({ kind }) => kind)).toContain("undelivered_too_long");
  const done = { ...attempt, outcome: "delivered", wrote: "yes", status: 200 } as const;
  await port.settle("lease", [{ id, attempt: done }], Date.now());
  vi.setSystemTime(NOW + 21 * MINUTE);
  await watch(workerEnv, Date.now());
  expect(await stub.activeShards()).toEqual([]);
  expect((await stub.incidents()).map(({ kind }) => kind)).not.toContain("undelivered_too_long");
  await takeTurn(workerEnv, 1, [12], Date.now());
  expect(await stub.activeShards()).toEqual([12]);
});
