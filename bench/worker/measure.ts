/** Interleaved rounds over handlers that share one workerd process: CPU for each event. */
import { setTimeout as sleep } from "node:timers/promises";
import { shuffle } from "simple-statistics";
import { Pool } from "undici";
import { AuditError } from "../../shared/errors.ts";
import { cpuMicros } from "../process-cpu.ts";
import type { Sink } from "../sink.ts";
import { type Form, makeBodies, signedMessage } from "./messages.ts";

/** As many deliveries at once as the flow-control key allows. */
const CONNECTIONS = 10;
/** What one event of a connection is worth at 80 events a second over all connections. */
const PACE_MS = (1_000 * CONNECTIONS) / 80;
/** The ledger writes its counters some seconds later; what is a row for thousands of events is left out. */
const REST_MS = 100;

const HANDLERS = ["floor", "calls", "sdk", "withoutLedger", "ours", "oursOnDisk"] as const;
export type Handler = (typeof HANDLERS)[number];

const FORMS: Readonly<Record<Handler, Form>> = {
  floor: "event",
  calls: "sdk",
  sdk: "sdk",
  withoutLedger: "ours",
  ours: "ours",
  oursOnDisk: "ours",
};

/** Handler and records in a message, such as `ours/20`; `paced` where messages come at the default rate and not as fast as they are taken. */
export type Subject = `${Handler}/${1 | 20}${"" | "/paced"}`;
export const SUBJECTS: readonly Subject[] = [
  "floor/1",
  "calls/20",
  "sdk/1",
  "sdk/20",
  "withoutLedger/1",
  "withoutLedger/20",
  "ours/1",
  "ours/20",
  "oursOnDisk/1",
  "oursOnDisk/20",
  "floor/1/paced",
  "withoutLedger/1/paced",
  "ours/1/paced",
  "ours/20/paced",
];

/** At the default rate, 80 events a second, so many take a few seconds. */
export const PACED_EVENTS = 200;

/** CPU µs for each event. */
export type Round = Readonly<Record<Subject, number>>;

interface Running {
  readonly url: string;
  readonly pids: readonly number[];
}

export interface Bench {
  readonly handlers: Readonly<Record<Handler, Running>>;
  readonly sink: Sink;
}

export async function measureRound(bench: Bench, events: number): Promise<Round> {
  const round: Partial<Record<Subject, number>> = {};
  for (const subject of shuffle([...SUBJECTS])) round[subject] = await measureSubject(bench, subject, events);
  return round as Round;
}

async function measureSubject({ handlers, sink }: Bench, subject: Subject, saturating: number): Promise<number> {
  const [handler, count, isPaced] = subject.split("/") as [Handler, string, string?];
  const { url, pids } = handlers[handler];
  const records = Number(count);
  const events = isPaced ? PACED_EVENTS : saturating;
  const pace = isPaced ? PACE_MS : 0;
  const bodies = await makeBodies(events / records, records);
  const messages = await Promise.all(bodies.map((body) => signedMessage(body, FORMS[handler], url, Date.now())));
  const arrivedBefore = (await sink.counts()).workos;
  const before = await cpuMicros(pids);
  const pool = new Pool(url, { connections: CONNECTIONS });
  const queue = [...messages];
  const lane = async (_: unknown, index: number) => {
    if (pace > 0) await sleep((index * records * pace) / CONNECTIONS);
    for (let message = queue.pop(); message; message = queue.pop()) {
      const isOver = pace > 0 ? sleep(records * pace) : undefined;
      const { statusCode, body } = await pool.request({ method: "POST", path: "/deliver", ...message });
      const text = await body.text();
      if (statusCode !== 200) throw new AuditError("internal", `${subject} answered ${statusCode}: ${text}`);
      await isOver;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  await pool.close();
  await sleep(REST_MS);
  const used = (await cpuMicros(pids)) - before;
  const arrived = (await sink.counts()).workos - arrivedBefore;
  if (arrived !== events) throw new AuditError("internal", `${subject} sent ${arrived} events of ${events}`);
  return used / events;
}
