/** The figures of the benchmarks that the docs use, from `bench/results.json`. After a run, `node docs/generate.ts` updates the pages. */
import results from "../../bench/results.json" with { type: "json" };

/** `part` measured it. */
interface BenchFigure {
  readonly part: "worker" | "growth";
  readonly what: string;
  readonly value: number;
}

const ROWS = 10_000_000;

/** Importing this throws a RangeError if the results lack one of them. */
export const BENCH_FIGURES = {
  /** Each message wakes the worker. */
  aloneMs: cpuMs("ours/1/paced", "CPU of an event alone in its message, 80 events a second"),
  sharedMs: cpuMs("ours/20/paced", "CPU of an event with 20 in a message, 80 events a second"),
  /** The worker is busy all the time. */
  busyMs: cpuMs("ours/1", "CPU of an event alone in its message, as fast as the worker takes them"),
  storedBytes: { part: "growth", what: `an event in a ledger of ${ROWS.toLocaleString("en")}`, value: storedBytes() },
} as const satisfies Readonly<Record<string, BenchFigure>>;

/** When a part of the benchmarks ran, such as `2026-11-30`. */
export function measuredOn(part: BenchFigure["part"]): string {
  return results[part].conditions.date.slice(0, 10);
}

function cpuMs(subject: string, what: string): BenchFigure & { readonly part: "worker" } {
  const found = results.worker.data.figures.find((figure) => figure.subject === subject);
  if (!found) throw new RangeError(`bench/results.json has no "${subject}" in "worker"`);
  return { part: "worker", what, value: found.micros.value / 1_000 };
}

function storedBytes(): number {
  const found = results.growth.data.ledgers.find(({ rows }) => rows === ROWS);
  if (!found) throw new RangeError(`bench/results.json has no ledger of ${ROWS} rows in "growth"`);
  return found.bytes / found.rows;
}
