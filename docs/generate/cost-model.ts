/** What events cost at list prices in US dollars. Pure; `docs/cost.md` shows the arithmetic. */
import { BENCH_FIGURES } from "./bench-figures.ts";

/** Units of each meter that one event uses. */
interface Use {
  readonly qstashMessages: number;
  readonly workerRequests: number;
  readonly cpuMs: number;
  readonly objectRequests: number;
  readonly objectGbSeconds: number;
  readonly rowsWritten: number;
  readonly logLines: number;
}

export type Meter = keyof Use;

/** Price of a million units, read in November 2026 (sources in `docs/cost.md`). */
export const PRICE_PER_MILLION: Readonly<Record<Meter, number>> = {
  qstashMessages: 10,
  workerRequests: 0.3,
  cpuMs: 0.02,
  objectRequests: 0.15,
  objectGbSeconds: 12.5,
  rowsWritten: 1,
  logLines: 0.6,
};

/** Units a month that Workers Paid includes. */
export const INCLUDED: Readonly<Record<Meter, number>> = {
  qstashMessages: 0,
  workerRequests: 10_000_000,
  cpuMs: 30_000_000,
  objectRequests: 1_000_000,
  objectGbSeconds: 400_000,
  rowsWritten: 50_000_000,
  logLines: 20_000_000,
};

const WORKERS_PAID_PER_MONTH = 5;

/** Measured in workerd by `tests/worker/ledger/cost.workerd.test.ts`. */
export const LEDGER_PER_EVENT = { rowsWritten: 2, rowsRead: 7 };
/** What an event occupies in a large ledger, rounded up to tens. */
export const STORED_BYTES_PER_EVENT = Math.ceil(BENCH_FIGURES.storedBytes.value / 10) * 10;
/** CPU of an event alone in its message, ledger included, rounded up to tenths. A busy worker and shared messages need less. */
export const CPU_MS_PER_EVENT = Math.ceil(BENCH_FIGURES.aloneMs.value * 10) / 10;
/** Two to the ledger, one to the monitor for the turn of its events, and at most one for the history. */
const OBJECT_REQUESTS_PER_MESSAGE = 4;
/** 128 MB for an assumed 20 ms of activity a message. */
const OBJECT_GB_SECONDS_PER_MESSAGE = 0.128 * 0.02;

interface Way {
  readonly name: string;
  /** Messages on the queue for each event. */
  readonly messages: number;
}

/** `required` sends an intent too, which the ledger drops when the outcome has come first. */
export const WAYS: readonly Way[] = [
  { name: "`best-effort`, 1 record a message", messages: 1 },
  { name: "`best-effort`, 5 records a message", messages: 1 / 5 },
  { name: "`best-effort`, 20 records a message", messages: 1 / 20 },
  { name: "`durable`", messages: 1 },
  { name: "`required`", messages: 2 },
];

/** What one event uses when every first attempt succeeds. */
export function useOf({ messages }: Way): Use {
  return {
    qstashMessages: messages,
    workerRequests: messages,
    cpuMs: CPU_MS_PER_EVENT,
    objectRequests: messages * OBJECT_REQUESTS_PER_MESSAGE,
    objectGbSeconds: messages * OBJECT_GB_SECONDS_PER_MESSAGE,
    rowsWritten: LEDGER_PER_EVENT.rowsWritten,
    // One line for each attempt, one for each invocation.
    logLines: 1 + messages,
  };
}

/** Dollars for a million events at list prices, nothing included. */
export function pricesOfMillion(way: Way): Readonly<Record<Meter, number>> {
  const use = useOf(way);
  return mapMeters((meter) => use[meter] * PRICE_PER_MILLION[meter]);
}

/** Dollars for a month with so many events, with what Workers Paid includes. */
export function priceOfMonth(way: Way, events: number): number {
  const use = useOf(way);
  const meters = mapMeters(
    (meter) => (Math.max(use[meter] * events - INCLUDED[meter], 0) * PRICE_PER_MILLION[meter]) / 1e6,
  );
  return WORKERS_PAID_PER_MONTH + sum(meters);
}

export function sum(meters: Readonly<Record<Meter, number>>): number {
  return Object.values(meters).reduce((total, dollars) => total + dollars, 0);
}

function mapMeters(value: (meter: Meter) => number): Readonly<Record<Meter, number>> {
  const meters = Object.keys(PRICE_PER_MILLION) as Meter[];
  return Object.fromEntries(meters.map((meter) => [meter, value(meter)])) as Record<Meter, number>;
}
