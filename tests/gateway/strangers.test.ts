/** Floods by callers who are not signed in: they cost one record, and the records of signed-in callers get through. */
import { randomUUID } from "node:crypto";
import { Agent } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { decode } from "./sink.ts";
import { type Harness, startHarness } from "./harness.ts";
import { waitUntil } from "./wait.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({
    situations: { members: { after: ["mustAuth"] }, account: { before: ["auth"] } },
  });
});
beforeEach(() => harness.sink.reset());
afterAll(() => harness.stop());

/** Sends requests with fifty at a time, each caller on a connection that it keeps. */
async function flood(count: number, path: string, headers: (i: number) => Record<string, string>): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  let next = 0;
  const sendAll = async () => {
    for (let i = next++; i < count; i = next++) await harness.call("ours", path, { headers: headers(i), agent });
  };
  await Promise.all(Array.from({ length: 50 }, sendAll));
  agent.destroy();
}

const genuine = (id: string) => harness.call("ours", "/account", { headers: { "x-test-user": "ada", "zp-rid": id } });

describe("3,000 requests of one stranger that are refused", () => {
  it("share a few records that count them all, and the next genuine record does not wait for them", async () => {
    const ip = "10.9.9.9";
    await flood(3_000, "/members", () => ({ "true-client-ip": ip }));
    const id = randomUUID();
    await genuine(id);
    await waitUntil(() => harness.sink.of(id).length > 0);
    // A message whose acknowledgement came too late is sent again, with the same event ids.
    const refused = () => new Map(harness.sink.records().flatMap((one) => (one.ip === ip ? [[one.id, one]] : [])));
    const counted = () => [...refused().values()].reduce((sum, { requestCount = 0 }) => sum + requestCount, 0);
    await waitUntil(
      () => counted() >= 3_000,
      () => `${counted()} were counted`,
    );
    expect(counted()).toBe(3_000);
    // One for each time span of each minute, however slow the machine is.
    expect(refused().size).toBeLessThan(60);
    expect(harness.lines("is lost")).toEqual([]);
  });
});

describe("6,000 refused requests of strangers while QStash takes 2.5 s for a message", () => {
  it.each<[string, (i: number) => Record<string, string>]>([
    ["one address", () => ({})],
    ["as many addresses", (i) => ({ "true-client-ip": `10.0.${i >> 8}.${i & 255}` })],
  ])("lose none of the 60 genuine records among them, from %s", async (_name, headers) => {
    harness.sink.set("queue", { status: 200, body: '{"messageId":"msg_1"}', afterMs: 2_500 });
    const ids = Array.from({ length: 60 }, () => randomUUID());
    const strangers = flood(6_000, "/members", headers);
    for (const id of ids) await genuine(id);
    await strangers;
    const missing = () => {
      const found = new Set(
        harness.sink.received
          .filter(isMessage)
          .flatMap(decode)
          .map(({ requestId }) => requestId),
      );
      return ids.filter((id) => !found.has(id));
    };
    await waitUntil(
      () => missing().length === 0,
      () => `${missing().length} records did not come: ${harness.lines("is lost").slice(0, 3).join()}`,
    );
    expect(missing()).toEqual([]);
  });
});

function isMessage({ path }: { readonly path: string }): boolean {
  return path === "queue" || path === "ingest";
}
