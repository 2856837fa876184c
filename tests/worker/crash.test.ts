/** The worker is killed with all its children in the middle of a load: no record is lost, and none becomes two events. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createMovableClock, startQueue, type Queue } from "../../dev/queue/server.ts";
import { startWorkos, type WorkosStandIn } from "../../dev/workos/server.ts";
import { deduplicationId, publishHeaders, publishPath } from "../../shared/qstash-headers.ts";
import { LEASE_MS } from "../../shared/limits.ts";
import { retryPlan } from "../../shared/retry-horizon.ts";
import { until } from "./support/local-path.ts";
import { messageOf, recordsOf } from "./support/records.ts";
import { ADMIN_TOKEN, workerVariables } from "./support/variables.ts";
import { startWorkerProcess } from "./support/worker-process.ts";

const RECORDS = 200;
/** Requests that WorkOS answers before the kill. */
const ANSWERED = 66;
const clock = createMovableClock();
let folder: string;
let workos: WorkosStandIn;
let queue: Queue;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "audit-crash-"));
  workos = await startWorkos();
  queue = await startQueue({ path: join(folder, "queue.sqlite"), clock });
});
afterAll(async () => {
  await queue.stop();
  await workos.stop();
  await rm(folder, { recursive: true, force: true });
});

const storedIds = () => workos.events().map(({ event }) => String(event.metadata?.["event_id"]));

it("kill -9 of the process tree in the middle of 200 deliveries leaves exactly 200 events", async () => {
  const options = { vars: workerVariables(workos, queue), persistPath: join(folder, "worker") };
  const first = await startWorkerProcess(options);
  // 150 messages of one record and 10 of five. From the 67th request on WorkOS stores and never answers: the queue holds back what is
  // beyond its 40 deliveries at once, so the kill finds requests under way and records that nobody has sent.
  workos.faults.add({ delayMs: 25, commit: true, times: ANSWERED });
  workos.faults.add({ hang: true, commit: true });
  const messages = [...recordsOf(150).map((record) => [record]), ...Array.from({ length: 10 }, () => recordsOf(5))];
  const records = messages.flat();
  expect(records).toHaveLength(RECORDS);
  // Nothing is delivered until everything is published, so that the kill comes in the middle however long publishing takes.
  await switchFlow("pause");
  for (const message of messages) {
    const response = await fetch(`${queue.url}${publishPath(first.url)}`, {
      method: "POST",
      headers: {
        ...publishHeaders({ workerUrl: first.url, deduplicationId: deduplicationId(message) }),
        authorization: `Bearer ${queue.token}`,
      },
      body: messageOf(...message),
    });
    expect(response.ok).toBe(true);
  }
  await switchFlow("resume");
  await until(storedIds, (ids) => ids.length > ANSWERED);
  await first.kill();
  expect(storedIds().length).toBeLessThan(RECORDS);
  workos.faults.clear();

  // What the dead worker held stays leased until its lease is over; only then may another delivery send it again.
  const vars = { ...options.vars, TEST_CLOCK_OFFSET_MS: String(LEASE_MS) };
  const second = await startWorkerProcess({ ...options, vars, port: first.port });
  try {
    for (const delayMs of retryPlan().delaysMs) {
      await queue.idle();
      clock.advance(delayMs + 1);
    }
    await queue.idle();
    expect(storedIds()).toHaveLength(RECORDS);
    expect(new Set(storedIds())).toEqual(new Set(records.map(({ id }) => id)));
    for (const request of workos.requests()) expect(request.same_body ?? true).toBe(true);
    const fates = await fatesOf(
      second.url,
      records.map(({ id }) => id),
    );
    expect(new Set(fates.map(({ state }) => state))).toEqual(new Set(["delivered"]));
  } finally {
    await second.kill();
  }
});

async function switchFlow(to: "pause" | "resume"): Promise<void> {
  const headers = { authorization: `Bearer ${queue.token}` };
  const response = await fetch(`${queue.url}/v2/flowControl/workos/${to}`, { method: "POST", headers });
  expect(response.ok).toBe(true);
}

interface Fate {
  readonly state: string;
}

async function fatesOf(url: string, ids: readonly string[]): Promise<Fate[]> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const fates: Fate[] = [];
  for (const id of ids) fates.push((await (await fetch(`${url}/api/events/${id}`, { headers })).json()) as Fate);
  return fates;
}

it("a port that is taken is one clear error", async () => {
  const { startWorker } = await import("../../dev/worker.ts");
  const port = workos.port;
  await expect(startWorker({ vars: {}, port })).rejects.toMatchObject({
    code: "port_taken",
    message: `port ${port} is taken; stop what uses it or choose another "port"`,
  });
});
