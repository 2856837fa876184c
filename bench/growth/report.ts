/** The report of the growth part. Pure. */
import { mean, median, quantile } from "simple-statistics";
import type { Chart } from "../report/chart.ts";
import type { Goal, PartReport, Table } from "../report/part.ts";
import { count, megabytes } from "../report/quantities.ts";
import { type Estimate, estimate, times } from "../stats/summary.ts";
import type { DeliveryRound } from "./deliveries.ts";
import { type CallCost, type CallKind, CALLS } from "./operator-calls.ts";

export interface LedgerSize {
  readonly rows: number;
  /** Of all shards together. */
  readonly bytes: number;
}

export interface LettersSize {
  readonly letters: number;
  readonly deadLetterBytes: number;
  readonly ledgerBytes: number;
}

export interface Measured {
  /** The smallest first. */
  readonly ledgers: readonly LedgerSize[];
  /** By `rows/records`. */
  readonly deliveryRounds: readonly ReadonlyMap<string, DeliveryRound>[];
  /** The smallest first. */
  readonly letters: readonly LettersSize[];
  /** By `letters/name`. */
  readonly callRounds: readonly ReadonlyMap<string, CallCost>[];
}

export const MESSAGE_SIZES = [1, 20] as const;
/** A larger ledger may cost so much more. Our choice. */
const GROWTH_MAX = 1.2;
/** What an operator waits for a list. Our choice. */
const LISTING_MAX_MS = 1_000;
/** CPU that Cloudflare grants one request by default. https://developers.cloudflare.com/workers/platform/limits/ */
const PLAN_MAX_CPU_MS = 30_000;

/** Makes the report of what was measured. */
export function report(measured: Measured): PartReport {
  return {
    goals: [...deliveryGoals(measured), ...callGoals(measured)],
    tables: [deliveryTable(measured), ...callTables(measured), sizeTable(measured)],
    charts: [deliveryChart(measured), callChart(measured, "listing"), callChart(measured, "plan")],
    notes: NOTES,
    data: {
      ledgers: measured.ledgers,
      letters: measured.letters,
      deliveries: deliveriesOf(measured),
      calls: CALLS.flatMap(({ name }) =>
        measured.letters.map(({ letters }) => ({ name, letters, ...callOf(measured, letters, name) })),
      ),
    },
  };
}

/** The figures of one number of rows and one size of messages. */
interface Deliveries {
  readonly rows: number;
  readonly records: number;
  readonly cpuMicros: Estimate;
  /** CPU, and the time of a message at p50, to the same with the smallest ledger. */
  readonly cpuGrowth: Estimate;
  readonly timeGrowth: Estimate;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

function deliveriesOf({ ledgers, deliveryRounds }: Measured): readonly Deliveries[] {
  const smallest = ledgers[0]?.rows ?? 0;
  return MESSAGE_SIZES.flatMap((records) =>
    ledgers.map(({ rows }) => {
      const cpuOf = (of: number) => (rounds: typeof deliveryRounds) =>
        mean(rounds.map((round) => deliveryOf(round, of, records).cpuMicrosPerEvent));
      const timeOf = (of: number, q: number) => (rounds: typeof deliveryRounds) =>
        quantile(
          rounds.flatMap((round) => deliveryOf(round, of, records).latenciesMs),
          q,
        );
      return {
        rows,
        records,
        cpuMicros: estimate(deliveryRounds, cpuOf(rows)),
        cpuGrowth: estimate(deliveryRounds, (rounds) => cpuOf(rows)(rounds) / cpuOf(smallest)(rounds)),
        timeGrowth: estimate(deliveryRounds, (rounds) => timeOf(rows, 0.5)(rounds) / timeOf(smallest, 0.5)(rounds)),
        p50Ms: timeOf(rows, 0.5)(deliveryRounds),
        p99Ms: timeOf(rows, 0.99)(deliveryRounds),
      };
    }),
  );
}

function deliveryOf(round: ReadonlyMap<string, DeliveryRound>, rows: number, records: number): DeliveryRound {
  const found = round.get(`${rows}/${records}`);
  if (!found) throw new RangeError(`nothing was measured of ${rows} rows and ${records} records`);
  return found;
}

/** The median of each figure. */
function callOf({ callRounds }: Measured, letters: number, name: string): CallCost {
  const found = callRounds.flatMap((round) => round.get(`${letters}/${name}`) ?? []);
  return { ms: median(found.map(({ ms }) => ms)), cpuMs: median(found.map(({ cpuMs }) => cpuMs)) };
}

function deliveryGoals(measured: Measured): readonly Goal[] {
  const largest = measured.ledgers.at(-1)?.rows ?? 0;
  return deliveriesOf(measured)
    .filter(({ rows }) => rows === largest)
    .flatMap(({ records, cpuGrowth, timeGrowth }) => {
      const beside = `${records} in a message, ${count(largest)} rows beside none`;
      return [
        atMost(`CPU of a delivered event, ${beside}`, cpuGrowth),
        atMost(`p50 of a delivery, ${beside}`, timeGrowth),
      ];
    });
}

function atMost(name: string, found: Estimate): Goal {
  return { name, goal: `≤ × ${GROWTH_MAX}`, figure: times(found), met: found.value <= GROWTH_MAX };
}

function callGoals(measured: Measured): readonly Goal[] {
  const largest = measured.letters.at(-1)?.letters ?? 0;
  return CALLS.map(({ name, kind }) => {
    const { ms, cpuMs } = callOf(measured, largest, name);
    const [value, most, what] =
      kind === "listing" ? [ms, LISTING_MAX_MS, "time"] : [cpuMs, PLAN_MAX_CPU_MS, "CPU of all objects"];
    return {
      name: `${name}, ${count(largest)} dead letters: ${what}`,
      goal: `≤ ${most} ms`,
      figure: `${value.toFixed(0)} ms`,
      met: value <= most,
    };
  });
}

function deliveryTable(measured: Measured): Table {
  return {
    title: "A delivery at the default rate, beside rows of delivered events",
    head: ["records in a message", "rows", "CPU µs an event", "to no rows", "p50 ms", "p99 ms", "p50 to no rows"],
    rows: deliveriesOf(measured).map(({ rows, records, cpuMicros, cpuGrowth, timeGrowth, p50Ms, p99Ms }) => [
      String(records),
      count(rows),
      `${cpuMicros.value.toFixed(0)} (${cpuMicros.low.toFixed(0)}–${cpuMicros.high.toFixed(0)})`,
      times(cpuGrowth),
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
      times(timeGrowth),
    ]),
  };
}

const CALL_TITLES: Readonly<Record<CallKind, string>> = {
  listing: "Lists and counts of dead letters",
  plan: "Plans of a replay",
};

function callTables(measured: Measured): readonly Table[] {
  return (["listing", "plan"] as const).map((kind) => ({
    title: CALL_TITLES[kind],
    head: ["call", ...measured.letters.flatMap(({ letters }) => [`${count(letters)}: ms`, "CPU ms"])],
    rows: CALLS.filter((call) => call.kind === kind).map(({ name }) => [
      name,
      ...measured.letters.flatMap(({ letters }) => {
        const { ms, cpuMs } = callOf(measured, letters, name);
        return [ms.toFixed(0), cpuMs.toFixed(0)];
      }),
    ]),
  }));
}

function sizeTable({ ledgers, letters }: Measured): Table {
  return {
    title: "Size on disk",
    head: ["", "all shards of the ledger", "the dead letters", "bytes each"],
    rows: [
      ...ledgers
        .filter(({ rows }) => rows > 0)
        .map(({ rows, bytes }) => [`${count(rows)} delivered events`, megabytes(bytes), "", (bytes / rows).toFixed(0)]),
      ...letters
        .filter((one) => one.letters > 0)
        .map(({ letters: number, deadLetterBytes, ledgerBytes }) => [
          `${count(number)} dead letters`,
          megabytes(ledgerBytes),
          megabytes(deadLetterBytes),
          ((deadLetterBytes + ledgerBytes) / number).toFixed(0),
        ]),
    ],
  };
}

function deliveryChart(measured: Measured): Chart {
  return {
    name: "deliveries",
    title: "CPU of a delivered event beside rows in the ledger",
    unit: "µs",
    bars: deliveriesOf(measured).map(({ rows, records, cpuMicros }) => ({
      label: `${count(rows)} rows, ${records} in a message`,
      value: cpuMicros.value,
    })),
  };
}

function callChart(measured: Measured, kind: CallKind): Chart {
  return {
    name: kind === "listing" ? "listing" : "planning",
    title: CALL_TITLES[kind],
    unit: "ms",
    bars: CALLS.filter((call) => call.kind === kind).flatMap(({ name }) =>
      measured.letters.map(({ letters }) => ({
        label: `${name}, ${count(letters)}`,
        value: callOf(measured, letters, name).ms,
      })),
    ),
  };
}

const NOTES = [
  "The worker runs in one bare workerd process, once for each number of rows or dead letters, with its Durable Objects " +
    "on disk. The worker's own code fills their databases beforehand, outside workerd. It claims and settles messages of " +
    "twenty as a delivery does, over the last 100 days. It stores dead letters as a delivery stores those that WorkOS " +
    "refuses, over the last 10. Each of the 64 shards of a ledger holds a copy of the same rows. In each round, every " +
    "worker has its turn in a new random order. The first rounds do not count. Messages follow one another at 80 events a " +
    "second, each to another shard. Each event must arrive at a sink on the same machine, which stands for WorkOS. CPU is " +
    "the CPU time of the workerd process, including Durable Objects. The smallest ledger holds only what the rounds add, a " +
    "few thousand rows.",
  "Calls are made one at a time, and each answer must contain as many dead letters as were stored. A plan asks the " +
    "ledger for each of them. CPU is the total of the worker, the object of the dead letters and all shards; Cloudflare " +
    "counts each of them separately. The files are in this machine's page cache.",
];
