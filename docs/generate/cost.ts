/** The tables of `docs/cost.md`; its prose is written by hand. */
import { BENCH_FIGURES, measuredOn } from "./bench-figures.ts";
import {
  CPU_MS_PER_EVENT,
  INCLUDED,
  PRICE_PER_MILLION,
  priceOfMonth,
  pricesOfMillion,
  STORED_BYTES_PER_EVENT,
  sum,
  useOf,
  WAYS,
  type Meter,
} from "./cost-model.ts";
import { filled, table } from "./markdown.ts";

const NAMES: Readonly<Record<Meter, string>> = {
  qstashMessages: "QStash messages",
  workerRequests: "worker requests",
  cpuMs: "worker CPU, ms",
  objectRequests: "Durable Object requests",
  objectGbSeconds: "Durable Object GB-s",
  rowsWritten: "rows written",
  logLines: "log lines",
};
const METERS = Object.keys(NAMES) as Meter[];
const MONTHS = [100_000, 1_000_000, 10_000_000, 100_000_000];

/** The page with its tables filled in. */
export function costPage(page: string): string {
  return [
    ["prices", prices()],
    ["use", use()],
    ["measured", measured()],
    ["million", million()],
    ["example", example()],
    ["month", month()],
  ].reduce((text, [name = "", content = ""]) => filled(text, name, content), page);
}

function prices(): string {
  const rows = METERS.map((meter) => [NAMES[meter], dollars(PRICE_PER_MILLION[meter]), whole(INCLUDED[meter])]);
  return table(["meter", "list price of a million", "included in Workers Paid, a month"], rows);
}

function use(): string {
  const rows = WAYS.map((way) => {
    const one = useOf(way);
    return [way.name, ...METERS.map((meter) => String(Number(one[meter].toPrecision(3))))];
  });
  return table(["an event by", ...METERS.map((meter) => NAMES[meter])], rows);
}

function million(): string {
  const rows = WAYS.map((way) => {
    const meters = pricesOfMillion(way);
    return [way.name, ...METERS.map((meter) => dollars(meters[meter])), `**${dollars(sum(meters))}**`];
  });
  return table(["a million events by", ...METERS.map((meter) => NAMES[meter]), "sum"], rows);
}

function measured(): string {
  const { aloneMs, sharedMs, busyMs, storedBytes } = BENCH_FIGURES;
  const shown = [
    [aloneMs, "ms", `${CPU_MS_PER_EVENT} ms`],
    [sharedMs, "ms", ""],
    [busyMs, "ms", ""],
    [storedBytes, "bytes", `${STORED_BYTES_PER_EVENT} bytes`],
  ] as const;
  const rows = shown.map(([{ part, what, value }, unit, used]) => {
    const link = `[\`${part}\`](../bench/README.md), ${measuredOn(part)}`;
    return [what, link, `${value.toPrecision(3)} ${unit}`, used || "not counted"];
  });
  return table(["figure", "part of the benchmarks", "measured", "on this page"], rows);
}

/** The sum of the first row, for a reader to follow. */
function example(): string {
  const [way] = WAYS;
  if (!way) throw new RangeError("there is no way to send an event");
  const { qstashMessages, workerRequests, cpuMs, objectRequests, objectGbSeconds, rowsWritten, logLines } = useOf(way);
  const price = PRICE_PER_MILLION;
  return [
    `For example, a \`best-effort\` record alone in its message: ${qstashMessages} × ${dollars(price.qstashMessages)} for the message,`,
    `${workerRequests} × ${dollars(price.workerRequests)} for the request, ${cpuMs} × ${dollars(price.cpuMs)} for the CPU,`,
    `${objectRequests} × ${dollars(price.objectRequests)} and ${objectGbSeconds} × ${dollars(price.objectGbSeconds)} for the Durable Objects,`,
    `${rowsWritten} × ${dollars(price.rowsWritten)} for the rows, ${logLines} × ${dollars(price.logLines)} for the log:`,
    `${dollars(sum(pricesOfMillion(way)))}.`,
  ].join(" ");
}

function month(): string {
  const rows = WAYS.map((way) => [way.name].concat(MONTHS.map((events) => dollars(priceOfMonth(way, events)))));
  return table(["events a month", ...MONTHS.map(whole)], rows);
}

function dollars(value: number): string {
  return `$${value.toFixed(2)}`;
}

function whole(value: number): string {
  return value.toLocaleString("en");
}
