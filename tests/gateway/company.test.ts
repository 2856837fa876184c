/** Records in company on the real gateway: they share messages, and no request is held up by another's trouble. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Harness, startHarness } from "./harness.ts";
import { VARIABLE_OPTIONS } from "./routes.ts";
import { decode, type Received } from "./sink.ts";
import { waitUntil } from "./wait.ts";

// So long that a message goes out because it is full, however slow the machine is.
const OPTIONS = { coalesceMs: 5_000, timeoutMs: 5_000 };

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({
    situations: {
      one: {},
      other: { method: "POST" },
      small: { policy: "small" },
      alsoSmall: { method: "POST", policy: "small" },
      five: { policy: "five" },
      wrong: { policy: "wrong" },
      alsoWrong: { policy: "wrong" },
    },
    options: OPTIONS,
    policies: {
      // Of its own, because the first twenty surely share a message only where no record came long before them.
      small: { options: { ...VARIABLE_OPTIONS, ...OPTIONS } },
      five: { options: { ...VARIABLE_OPTIONS, ...OPTIONS, maxRecords: 5 } },
      wrong: { options: { colour: "red" } },
    },
  });
});
afterAll(() => harness?.stop());
beforeEach(() => harness.sink.reset());

/** Sends so many requests at one time, to a route with GET and one with POST in turn, and waits for the answers. */
async function burst(count: number, path: string, postPath?: string): Promise<string> {
  const id = randomUUID();
  const headers = { "zp-rid": id };
  const calls = Array.from({ length: count }, (_, i) =>
    postPath === undefined || i % 2 === 0
      ? harness.call("ours", path, { headers })
      : harness.call("ours", postPath, { method: "POST", headers, body: "{}" }),
  );
  for (const { status } of await Promise.all(calls)) expect(status).toBe(200);
  return id;
}

const recordsOf = (id: string, count: number) =>
  harness.sink.waitForRecords(({ requestId }) => requestId === id, count);
const size = (message: Received) => decode(message).length;

it("share messages across routes, each record once, in a message of at most twenty", async () => {
  const id = await burst(60, "/one", "/other");
  const records = await recordsOf(id, 60);
  expect(new Set(records.map((record) => record.id)).size).toBe(60);
  expect(records).toHaveLength(60);
  const sizes = harness.sink.of(id).map(size);
  expect(Math.max(...sizes)).toBe(20);
  expect(sizes.length).toBeLessThanOrEqual(12);
});

it("stay below 200 bytes each where twenty share a message", async () => {
  const id = await burst(40, "/small", "/alsoSmall");
  await recordsOf(id, 40);
  const full = harness.sink.of(id).filter((message) => size(message) === 20);
  expect(full.length).toBeGreaterThan(0);
  for (const { body } of full) expect(body.length / 20).toBeLessThanOrEqual(200);
});

it("are not held up by a message that hangs", async () => {
  harness.sink.set("queue", "hang");
  const hung = await burst(5, "/five");
  await waitUntil(() => harness.sink.of(hung).length > 0);
  harness.sink.set("queue", "accept");
  const later = await burst(5, "/five");
  // Later ones are there before the hung ones have been given up; these come then. One is enough: if the hung ones were sent long ago,
  // the first of the later ones leaves without the others.
  await recordsOf(later, 1);
  expect(harness.sink.records().filter(({ requestId }) => requestId === hung)).toEqual([]);
  await Promise.all([recordsOf(later, 5), recordsOf(hung, 5)]);
});

it("come from one instance of the policy, however many routes it stands on", async () => {
  for (const path of ["/wrong", "/alsoWrong", "/wrong"]) expect((await harness.call("ours", path)).status).toBe(200);
  const named = () => harness.lines('"colour" is not an option');
  await waitUntil(() => named().length > 0);
  expect(named()).toHaveLength(1);
});
