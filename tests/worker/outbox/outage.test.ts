/** The outbox while the queue is away: nothing answered 202 is lost, and it drains in order of age. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { ADMIN_TOKEN, startLocalPath, until, type LocalPath } from "../support/local-path.ts";
import { spill } from "../support/ingest.ts";
import { messageOf, recordOf, recordsOf } from "../support/records.ts";
import { INGEST_KEY } from "../support/variables.ts";

let path: LocalPath;
beforeEach(async () => {
  path = await startLocalPath();
});
afterEach(() => path.stop());

const outbox = async () => (await path.get("/health")).json.outbox as { waiting: number; oldest_at: string | null };

it("keeps messages while the queue refuses them, says how many and since when, and hands them over later", async () => {
  const before = Date.now();
  path.queue.setFaults({ publish: { status: 500 } });
  const records = recordsOf(8);
  for (const record of records)
    expect((await spill(path.url, messageOf(record), { key: INGEST_KEY })).status).toBe(202);
  const waiting = await outbox();
  expect(waiting.waiting).toBe(8);
  expect(Date.parse(waiting.oldest_at ?? "")).toBeGreaterThanOrEqual(before);
  const metrics = await (
    await fetch(`${path.url}/metrics`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })
  ).text();
  expect(metrics).toContain("audit_outbox_waiting_messages 8");
  expect((await path.get(`/api/events/${records[0]?.id}`)).json).toMatchObject({ state: "pending", where: "outbox" });

  path.queue.clearFaults();
  await until(
    () => path.workos.events(),
    (events) => events.length === 8,
  );
  // WorkOS may have an event before the outbox has read that the queue took its message.
  await until(outbox, ({ waiting }) => waiting === 0);
});

it("loses nothing in a kill, and a message that comes by both paths is one event", async () => {
  path.queue.setFaults({ publish: { status: 503 } });
  const records = recordsOf(12);
  for (const record of records) await spill(path.url, messageOf(record), { key: INGEST_KEY });
  await path.killWorker();
  path.queue.clearFaults();
  await path.restartWorker();
  for (const record of records.slice(0, 6)) await path.publish([record]);
  await until(
    () => path.workos.events(),
    (events) => events.length >= 12,
  );
  await until(outbox, ({ waiting }) => waiting === 0);
  await path.queue.idle();
  const ids = path.workos.events().map(({ event }) => event.metadata?.["event_id"]);
  expect(ids).toHaveLength(12);
  expect(new Set(ids)).toEqual(new Set(records.map(({ id }) => id)));
});

it("parks a message that the queue will never take, and goes on with the next", async () => {
  path.queue.setFaults({ publish: { status: 400, times: 1 } });
  const [refused, good] = [recordOf(), recordOf()];
  await spill(path.url, messageOf(refused), { key: INGEST_KEY });
  await until(outbox, ({ waiting }) => waiting === 0);
  await spill(path.url, messageOf(good), { key: INGEST_KEY });
  await until(
    () => path.workos.events(),
    (events) => events.length === 1,
  );
  expect((await path.get(`/api/dead-letters/${refused.id}`)).json).toMatchObject({
    class: "exhausted",
    wrote: "no",
    reason: "queue_refuses http_400",
  });
});
