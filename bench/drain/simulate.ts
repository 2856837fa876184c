/** A drain as a discrete-event simulation: the development queue's own scheduler and store, the worker's own core and ledger, WorkOS's limit. */
import { createLanes } from "../../dev/queue/delivery/lanes.ts";
import { createScheduler } from "../../dev/queue/delivery/scheduler.ts";
import type { Delivery as QueueDelivery, Outcome, Sender } from "../../dev/queue/delivery/sender.ts";
import { createFaultBoard } from "../../dev/queue/faults.ts";
import { parseOptions } from "../../dev/queue/options.ts";
import { type Database, openDatabase } from "../../dev/queue/store/database.ts";
import { createFlowKeys } from "../../dev/queue/store/flow-keys.ts";
import { insertMessage } from "../../dev/queue/store/messages.ts";
import { mintEventId } from "../../shared/event-id.ts";
import { publishHeaders } from "../../shared/qstash-headers.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { encodeMessage } from "../../shared/wire.ts";
import { answerFor } from "../../worker/delivery/answer.ts";
import { decodeMessage } from "../../worker/message/decoded-message.ts";
import { deliverRecords } from "../../worker/delivery/record-delivery.ts";
import type { DeliverPorts } from "../../worker/delivery/ports.ts";
import { Pace } from "../../worker/monitor/pace.ts";
import { prepareAll } from "../../worker/prepared-event.ts";
import { settled, VirtualTime } from "../virtual-time.ts";
import { generator } from "../workload.ts";
import { memoryLedger, type MemoryLedger } from "./ledger.ts";
import { virtualWorkos, type VirtualWorkos, type Window } from "./workos.ts";

interface DrainOptions {
  readonly records: number;
  readonly recordsPerMessage: number;
  /** The worker's variable `AUDIT_RATE`. */
  readonly rate: number;
  readonly limit: Window;
  readonly onEvents?: (stored: number) => void;
}

export interface Drained {
  /** Virtual time until the last event was stored. */
  readonly seconds: number;
  readonly events: number;
  /** Messages in the queue's dead-letter queue, and the worker's dead letters. */
  readonly deadLetters: number;
  readonly refusedByWorkos: number;
  /** Deliveries that were answered with a retry. */
  readonly retries: number;
}

const WORKER_URL = "https://worker.example";
const START_MS = Date.UTC(2026, 0, 1);
/** A day is longer than any schedule of retries. */
const END_MS = START_MS + 86_400_000 * 1.5;

export async function drain(options: DrainOptions): Promise<Drained> {
  const time = new VirtualTime(START_MS);
  const database = openDatabase(":memory:");
  const ledger = memoryLedger();
  const workos = virtualWorkos(time, options.limit);
  const worker = virtualWorker(time, ledger, workos, options.rate);
  try {
    const flowKeys = createFlowKeys(database);
    await publishAll(database, flowKeys, options);
    const scheduler = createScheduler({
      database,
      lanes: createLanes(database, flowKeys),
      sender: worker.sender,
      clock: { now: time.now, wakeAt: time.at },
      faults: createFaultBoard(),
      signingKey: () => "sig_bench",
      signingNow: time.now,
      retention: { log: 1e12, dlq: 1e12 },
      parallelism: 100,
      timeoutMs: 7_200_000,
      log: () => undefined,
    });
    scheduler.wake();
    const tell = () => options.onEvents?.(workos.stored.size);
    await time.run(END_MS, async () => {
      // Signing and committing take real time; the virtual one stands still until only the virtual world is waited for.
      do await settled();
      while (scheduler.active() !== worker.waiting());
      tell();
    });
    await scheduler.stop();
    return result(database, workos, worker);
  } finally {
    ledger.close();
    database.close();
  }
}

function result(database: Database, workos: VirtualWorkos, worker: VirtualWorker): Drained {
  const failed = database.one<{ n: number }>("SELECT count(*) AS n FROM message WHERE state = 'failed'")?.n ?? 0;
  const lastMs = Math.max(...workos.stored.values());
  return {
    seconds: (lastMs - START_MS) / 1000,
    events: workos.stored.size,
    deadLetters: failed + worker.parked(),
    refusedByWorkos: workos.refused(),
    retries: worker.retries(),
  };
}

async function publishAll(
  database: Database,
  flowKeys: ReturnType<typeof createFlowKeys>,
  { records, recordsPerMessage }: DrainOptions,
): Promise<void> {
  const headers = publishHeaders({ workerUrl: WORKER_URL, deduplicationId: "none" });
  const options = parseOptions(Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])), {});
  // The dead letters are counted in the queue itself; a callback would be one more delivery of the same lane.
  delete options.failureCallback;
  const draw = generator(7);
  await database.write(() => {
    if (options.flowControl) flowKeys.observe(options.flowControl);
    for (let done = 0; done < records; done += recordsPerMessage) {
      const list = Array.from({ length: Math.min(recordsPerMessage, records - done) }, (_, i) =>
        record(done + i, draw),
      );
      const body = Buffer.from(JSON.stringify(encodeMessage(list)));
      insertMessage(database, { url: `${WORKER_URL}/deliver`, options, body, callerIp: "127.0.0.1" }, START_MS);
    }
  });
}

function record(sequence: number, draw: () => number): AuditRecord {
  const random = Uint8Array.from({ length: 9 }, () => Math.floor(draw() * 256));
  return {
    id: mintEventId(START_MS - 3_600_000 + sequence, random, sequence % 16),
    stage: "outcome",
    occurredAtMs: START_MS - 3_600_000 + sequence,
    durationMs: 12,
    action: "member.invited",
    organization: "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
    actor: { id: "user_01GBTCQ2ZZ3KJNYEHWNCE74X7J", type: "user" },
    targets: [{ id: "team_1", type: "team" }],
    method: "POST",
    route: "/v1/teams/{id}/members",
    status: 200,
    outcome: "success",
    assurance: "best-effort",
    gateway: { isolateId: "bench", policyVersion: "0" },
    sequence,
  };
}

interface VirtualWorker {
  readonly sender: Sender;
  /** Deliveries that wait for virtual time. */
  readonly waiting: () => number;
  readonly parked: () => number;
  readonly retries: () => number;
}

function virtualWorker(time: VirtualTime, ledger: MemoryLedger, workos: VirtualWorkos, rate: number): VirtualWorker {
  const pace = new Pace({ get: () => undefined, put: () => undefined });
  let [waiting, parked, retries, leases] = [0, 0, 0, 0];
  const ports: DeliverPorts = {
    now: time.now,
    ledger,
    prepare: (records) => prepareAll(records, undefined),
    send: workos.send,
    park: (entries) => {
      parked += entries.length;
      return Promise.resolve();
    },
    heard: () => undefined,
    observe: () => undefined,
  };
  async function deliver({ body, header }: QueueDelivery): Promise<Outcome> {
    const decoded = decodeMessage(body);
    if (decoded.kind !== "message") throw new Error("the benchmark's own message is unreadable");
    const retried = Number(header["Upstash-Retried"]?.[0]);
    const waitMs = pace.take(decoded.records.length, rate, Infinity, time.now());
    await new Promise<void>((resolve) => time.after(waitMs, resolve));
    const delivery = { lease: `lease-${(leases += 1)}`, retried };
    const results = await deliverRecords(decoded.records, delivery, ports);
    const answer = answerFor(results, { retried }, time.now());
    if (answer.status === 503) retries += 1;
    const answered: Record<string, string[]> = {};
    for (const [name, value] of answer.headers) answered[name] = [value];
    return { answer: { status: answer.status, header: answered, body: Buffer.alloc(0) } };
  }
  return {
    sender: {
      async send(delivery) {
        waiting += 1;
        try {
          return await deliver(delivery);
        } finally {
          waiting -= 1;
        }
      },
      close: () => undefined,
    },
    waiting: () => waiting,
    parked: () => parked,
    retries: () => retries,
  };
}
