/** The daily alarm of a shard of the ledger, which the platform gives up after seven failures. */
import { runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import { ledger } from "../../../worker/ledger/client.ts";
import type { Ledger } from "../../../worker/ledger/ledger.ts";
import { workerEnv } from "../support/api.workerd.ts";
import { eventId } from "../support/letters.ts";

const DAY_MS = 86_400_000;

afterEach(() => void vi.restoreAllMocks());

const claim = (shard: Ledger, number: number) =>
  shard.claim("L1", JSON.stringify([{ id: eventId(number), stage: "outcome", body: "{}", occurredAtMs: 0 }]), 1, 0);

it("is set again when the cron looks", async () => {
  const [before, after] = await runInDurableObject(ledger(workerEnv, 0), async (shard: Ledger, { storage }) => {
    await claim(shard, 1);
    const set = await storage.getAlarm();
    await storage.deleteAlarm();
    await shard.status();
    return [set, await storage.getAlarm()];
  });
  expect(before).not.toBeNull();
  expect(after).not.toBeNull();
});

it("is set again by a delivery once it is late, and costs nothing before", async () => {
  await runInDurableObject(ledger(workerEnv, 1), async (shard: Ledger, { storage }) => {
    await claim(shard, 2);
    await storage.deleteAlarm();
    await claim(shard, 3);
    expect(await storage.getAlarm()).toBeNull();
    const lateMs = Date.now() + DAY_MS + 120_000;
    vi.spyOn(Date, "now").mockReturnValue(lateMs);
    await claim(shard, 4);
    expect(await storage.getAlarm()).toBe(lateMs + DAY_MS);
  });
});
