/** Records in company on the real gateway: they share messages, and no request is held up by another's trouble. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Harness, startHarness } from "./harness.ts";
import { waitUntil } from "./wait.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({
    situations: { one: {}, other: { method: "POST" }, wrong: { policy: "wrong" }, alsoWrong: { policy: "wrong" } },
    options: { coalesceMs: 200, timeoutMs: 1_500 },
    policies: { wrong: { options: { colour: "red" } } },
  });
});
afterAll(() => harness?.stop());
beforeEach(() => harness.sink.reset());

const burst = (count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, i) =>
      i % 2 === 0 ? harness.call("ours", "/one") : harness.call("ours", "/other", { method: "POST", body: "{}" }),
    ),
  );

it("share messages across routes, each record once, in a message of at most twenty", async () => {
  const answers = await burst(60);
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  const records = await harness.sink.waitForRecords(() => true, 60);
  expect(new Set(records.map(({ id }) => id)).size).toBe(60);
  expect(records).toHaveLength(60);
  const sizes = harness.sink.received.map(({ body }) => (JSON.parse(body) as { records: unknown[] }).records.length);
  expect(Math.max(...sizes)).toBe(20);
  expect(sizes.length).toBeLessThanOrEqual(12);
});

it("stay below 200 bytes each where twenty share a message", async () => {
  await burst(40);
  await harness.sink.waitForRecords(() => true, 40);
  const full = harness.sink.received.filter(
    ({ body }) => (JSON.parse(body) as { records: unknown[] }).records.length === 20,
  );
  expect(full.length).toBeGreaterThan(0);
  for (const { body } of full) expect(body.length / 20).toBeLessThanOrEqual(200);
});

it("are not held up by a message that hangs", async () => {
  harness.sink.set("queue", "hang");
  await burst(5);
  await waitUntil(() => harness.sink.received.length > 0);
  harness.sink.set("queue", "accept");
  const answer = await harness.call("ours", "/one");
  expect(answer.status).toBe(200);
  // The later record is there long before the hung one has been given up.
  await harness.sink.waitForRecords(() => true, 1, 1_200);
  await harness.sink.waitForRecords(() => true, 6);
});

it("come from one instance of the policy, however many routes it stands on", async () => {
  for (const path of ["/wrong", "/alsoWrong", "/wrong"]) expect((await harness.call("ours", path)).status).toBe(200);
  await waitUntil(() => harness.gateway.logs().includes('"colour" is not an option'));
  expect(harness.gateway.logs().split('"colour" is not an option')).toHaveLength(2);
});
