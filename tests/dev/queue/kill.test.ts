import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newFolder, runQueue, type QueueProcess } from "./process.ts";
import { call, clientFor, startReceiver, until, type Receiver } from "./stage.ts";

let receiver: Receiver;
let folder: string;
let queue: QueueProcess;
beforeEach(async () => {
  receiver = await startReceiver();
  folder = newFolder();
  queue = await start();
});
afterEach(async () => {
  await queue.end("SIGKILL");
  await receiver.close();
  rmSync(folder, { recursive: true });
});

const start = () => runQueue(["--port", "0", "--path", join(folder, "queue.sqlite"), "--quiet"]);
const idle = (of: QueueProcess) => call(of, "GET", "/__dev/idle");

/** Publishes until the queue is gone; returns what was acknowledged. */
async function publishUntilKilled(of: QueueProcess, acknowledged: Set<string>): Promise<void> {
  for (;;) {
    const reply = await call(of, "POST", `/v2/publish/${receiver.url}/deliver`, { body: "{}" }).catch(() => undefined);
    if (reply === undefined) return;
    acknowledged.add(reply.json.messageId);
  }
}

test.each([20, 150, 400])("nothing acknowledged is lost when it is killed after %d acknowledgements", async (after) => {
  const acknowledged = new Set<string>();
  const publishers = Array.from({ length: 20 }, () => publishUntilKilled(queue, acknowledged));
  await until(() => acknowledged.size >= after);
  await queue.end("SIGKILL");
  await Promise.all(publishers);

  queue = await start();
  await idle(queue);
  const delivered = new Set(receiver.received.map((got) => String(got.headers["upstash-message-id"])));
  expect([...acknowledged].filter((id) => !delivered.has(id))).toEqual([]);
  // At least once: what was under way may come twice, but never as a retry.
  expect(new Set(receiver.received.map((got) => got.headers["upstash-retried"]))).toEqual(new Set(["0"]));
});

test("attempts under way at the kill come again and are counted once", async () => {
  receiver.answer = () => new Promise(() => {});
  const client = clientFor(queue);
  for (let n = 0; n < 10; n += 1) await client.publish({ url: `${receiver.url}/deliver`, body: String(n), retries: 1 });
  await until(() => receiver.open === 10);
  await queue.end("SIGKILL");

  receiver.answer = () => ({ status: 500, headers: { "retry-after": "0" } });
  queue = await start();
  await idle(queue);
  const perBody = Map.groupBy(receiver.received, (got) => got.body.toString());
  expect(perBody.size).toBe(10);
  for (const attempts of perBody.values()) {
    expect(attempts.map((got) => got.headers["upstash-retried"])).toEqual(["0", "0", "1"]);
  }
  const { messages } = await clientFor(queue).dlq.listMessages();
  expect(messages).toHaveLength(10);
});

test("pauses, limits, deduplication, keys and dead letters outlive a kill", async () => {
  const client = clientFor(queue);
  const url = `${receiver.url}/deliver`;
  receiver.answer = () => ({ status: 500 });
  await client.publish({ url, body: "dead", retries: 0 });
  await idle(queue);
  const { json: rotated } = await call(queue, "POST", "/v2/keys/rotate");
  const first = await client.publish({
    url,
    body: "held",
    deduplicationId: "d",
    flowControl: { key: "k", rate: 7 },
    delay: 1,
  });
  await client.flowControl.pause("k");
  await client.queue({ queueName: "q" }).upsert({ parallelism: 3, paused: true });
  await queue.end("SIGKILL");

  queue = await start();
  const again = clientFor(queue);
  expect(await again.publish({ url, body: "held", deduplicationId: "d" })).toEqual({
    messageId: first.messageId,
    deduplicated: true,
  });
  expect(await again.flowControl.get("k")).toMatchObject({ isPaused: true, rateMax: 7 });
  expect(await again.queue({ queueName: "q" }).get()).toMatchObject({ parallelism: 3, paused: true });
  expect((await call(queue, "GET", "/v2/keys")).json).toEqual(rotated);
  expect((await again.dlq.listMessages()).messages).toMatchObject([{ body: "dead" }]);
  expect(await again.messages.get(first.messageId)).toMatchObject({ body: "held" });
});
