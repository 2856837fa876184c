/** The outbox as a Durable Object: what a crash leaves behind. */
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { environmentOf, type PlatformEnv } from "../../../worker/env.ts";
import { durableSql } from "../../../worker/storage/durable-sql.ts";
import { outboxOf } from "../../../worker/outbox/client.ts";
import { Outbox } from "../../../worker/outbox/outbox.ts";
import { OutboxStore } from "../../../worker/outbox/store.ts";

const bindings = environmentOf(env as unknown as PlatformEnv);
const MESSAGE = { deduplicationId: "m1", body: "{}", delaySeconds: 0, receivedMs: 0 };

it("sets an alarm for what a crash left without one, as soon as anybody looks", async () => {
  const alarm = await runInDurableObject(outboxOf(bindings, "m1"), async (_, state) => {
    new OutboxStore(durableSql(state.storage)).add(MESSAGE);
    await state.storage.deleteAlarm();
    const restarted = new Outbox(state, bindings);
    expect((await restarted.status()).waiting).toBe(1);
    const alarm = await state.blockConcurrencyWhile(() => state.storage.getAlarm());
    // Nothing goes out from here.
    await state.storage.deleteAlarm();
    return alarm;
  });
  expect(alarm).not.toBeNull();
});

it("sets no alarm while nothing waits", async () => {
  const alarm = await runInDurableObject(outboxOf(bindings, "m2"), async (_, state) => {
    const restarted = new Outbox(state, bindings);
    expect((await restarted.status()).waiting).toBe(0);
    return state.storage.getAlarm();
  });
  expect(alarm).toBeNull();
});

it("sets an alarm that the platform has given up, when the cron looks", async () => {
  const alarms = await runInDurableObject(outboxOf(bindings, "m3"), async (outbox: Outbox, state) => {
    new OutboxStore(durableSql(state.storage)).add({ ...MESSAGE, deduplicationId: "m3" });
    await state.storage.deleteAlarm();
    await outbox.status();
    const given = await state.storage.getAlarm();
    // One that is set is left alone: it may be the wait after a failure.
    const laterMs = Date.now() + 300_000;
    await state.storage.setAlarm(laterMs);
    await outbox.status();
    const kept = await state.storage.getAlarm();
    await state.storage.deleteAlarm();
    return { given, kept: kept === laterMs };
  });
  expect(alarms).toEqual({ given: expect.any(Number), kept: true });
});
