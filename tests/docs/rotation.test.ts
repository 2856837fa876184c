/** The drills of docs/security.md, on real parts: what each promises to lose and not to lose. */
import { expect, it, onTestFinished, vi } from "vitest";
import { samplesOf } from "../compatibility/samples.ts";
import { PATIENCE_MS, startDelivery, type Delivery } from "./delivery.ts";

const MESSAGE = new TextDecoder().decode(samplesOf("v1").find(({ name }) => name === "typical")?.body);

async function started(): Promise<Delivery> {
  const delivery = await startDelivery();
  onTestFinished(() => delivery.stop());
  return delivery;
}

async function roll({ queue }: Delivery): Promise<{ readonly current: string; readonly next: string }> {
  const headers = { authorization: `Bearer ${queue.token}` };
  const answer = await fetch(`${queue.url}/v2/keys/rotate`, { method: "POST", headers });
  return (await answer.json()) as { current: string; next: string };
}

async function statusesOf({ queue }: Delivery, messageId: string): Promise<readonly (number | undefined)[]> {
  const headers = { authorization: `Bearer ${queue.token}` };
  const answer = await fetch(`${queue.url}/v2/events?messageIds=${messageId}`, { headers });
  const { events } = (await answer.json()) as { events: { state: string; responseStatus?: number }[] };
  return events.filter(({ state }) => state === "ERROR").map(({ responseStatus }) => responseStatus);
}

it("one roll of the signing keys is harmless to a worker that was not told", async () => {
  const delivery = await started();
  await roll(delivery);
  await delivery.publish(MESSAGE, "rolled-once");
  await vi.waitFor(() => expect(delivery.workos.events()).toHaveLength(1), PATIENCE_MS);
});

it("two rolls break delivery; the new keys mend it, and the next retry delivers what waited", async () => {
  const delivery = await started();
  await roll(delivery);
  const keys = await roll(delivery);
  const messageId = await delivery.publish(MESSAGE, "rolled-twice");
  await vi.waitFor(async () => expect(await statusesOf(delivery, messageId)).toEqual([401]), PATIENCE_MS);
  expect(delivery.workos.events()).toEqual([]);
  await delivery.restartWorker({ QSTASH_CURRENT_SIGNING_KEY: keys.current, QSTASH_NEXT_SIGNING_KEY: keys.next });
  delivery.clock.advance(60_000);
  await vi.waitFor(() => expect(delivery.workos.events()).toHaveLength(1), PATIENCE_MS);
});

it("a WorkOS key that was deleted too early pauses; with the new key and a resume nothing is lost", async () => {
  const delivery = await started();
  delivery.workos.keys.rotate("sk_test_new");
  await delivery.publish(MESSAGE, "deleted-too-early");
  await vi.waitFor(() => expect(delivery.alerts.map(({ data }) => data.incident)).toEqual(["paused"]), PATIENCE_MS);
  await delivery.restartWorker({ WORKOS_API_KEY: "sk_test_new" });
  const headers = { authorization: `Bearer ${delivery.adminToken}` };
  expect((await fetch(`${delivery.worker.url}/api/resume`, { method: "POST", headers })).status).toBe(200);
  delivery.clock.advance(60_000);
  await vi.waitFor(() => expect(delivery.workos.events()).toHaveLength(1), PATIENCE_MS);
});
