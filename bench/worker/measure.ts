/** Interleaved rounds over handlers that share one workerd process: CPU for each event. */
import { setTimeout as sleep } from "node:timers/promises";
import { shuffle } from "simple-statistics";
import { Pool } from "undici";
import { AuditError } from "../../shared/errors.ts";
import { cpuMicros } from "../process-cpu.ts";
import type { Sink } from "../sink.ts";
import { type Form, makeBodies, signedMessage } from "./messages.ts";
import type { Handler } from "./scripts.ts";

/** As many deliveries at once as the flow-control key allows. */
const CONNECTIONS = 10;
/** Between two events at the default rate, 80 a second. */
const PACE_MS = 1_000 / 80;
/** The ledger writes its counters some seconds later; what is a row for thousands of events is left out. */
const REST_MS = 100;

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
  "sdk/1/paced",
  "sdk/20/paced",
  "withoutLedger/1/paced",
  "ours/1/paced",
  "ours/20/paced",
];

/** How many events each row of a round has. */
export interface RowSizes {
  readonly saturating: number;
  /** Of a row at the default rate, 80 events a second. */
  readonly paced: number;
}

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

/** Runs the rows without a rate once and forgets their figures. The others use the same code in the same isolates. */
export async function warmUp(bench: Bench, events: number): Promise<void> {
  for (const subject of SUBJECTS) if (!isPaced(subject)) await measureSubject(bench, subject, events);
}

/** Measures every row once, in a new random order. */
export async function measureRound(bench: Bench, sizes: RowSizes): Promise<Round> {
  const round: Partial<Record<Subject, number>> = {};
  for (const subject of shuffle([...SUBJECTS])) {
    round[subject] = await measureSubject(bench, subject, isPaced(subject) ? sizes.paced : sizes.saturating);
  }
  return round as Round;
}

/** Whether messages come at the default rate. */
export function isPaced(subject: Subject): boolean {
  return subject.endsWith("/paced");
}

async function measureSubject({ handlers, sink }: Bench, subject: Subject, events: number): Promise<number> {
  const [handler, count] = subject.split("/") as [Handler, string];
  const { url, pids } = handlers[handler];
  const records = Number(count);
  const bodies = await makeBodies(events / records, records);
  const messages = await Promise.all(bodies.map((body) => signedMessage(body, FORMS[handler], url, Date.now())));
  const arrivedBefore = (await sink.counts()).workos;
  const before = await cpuMicros(pids);
  const pool = new Pool(url, { connections: CONNECTIONS });
  const startMs = performance.now();
  const queue = [...messages.entries()];
  const lane = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, message] = next;
      if (isPaced(subject)) await sleep(Math.max(startMs + index * records * PACE_MS - performance.now(), 0));
      const { statusCode, body } = await pool.request({ method: "POST", path: "/deliver", ...message });
      const text = await body.text();
      if (statusCode !== 200) throw new AuditError("internal", `${subject} answered ${statusCode}: ${text}`);
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
