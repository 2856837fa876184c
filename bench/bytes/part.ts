/** Bytes on the queue, messages for a rate of requests, and the size of the built policy. */
import { quantile, sum } from "simple-statistics";
import { gzipBytesOf, policyText } from "../../policy/build.ts";
import type { Goal, Part, PartReport, RunContext } from "../report/part.ts";
import { kilobytes } from "../report/quantities.ts";
import { WORKLOAD_NOTE } from "../workload.ts";
import { drive, poisson, type Published } from "./measure.ts";

const ALONE_MAX_BYTES = 400;
const SHARED_MAX_BYTES = 200;
const SHARED_RECORDS = 20;
const MESSAGES_PER_1000 = { 100: 300, 1000: 60 } as const;
const POLICY_MAX_GZIP_BYTES = 16_000;

/** The documented policy sends this for its own example event. Measured, facts of the project. */
const DOCUMENTED_EVENT_BYTES = 557;

export const part: Part = { name: "bytes", title: "Bytes and messages", run };

interface Sizes {
  readonly what: string;
  /** Absent if the figure is only told. */
  readonly maxBytes?: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
}

async function run({ quick, step }: RunContext): Promise<PartReport> {
  const requests = quick ? 1_000 : 10_000;
  const steps = 5;
  const sizes: Sizes[] = [];
  for (const traceparent of [false, true]) {
    step("records alone", sizes.length / 2, steps);
    const shared = (await together(requests, traceparent)).filter(({ records }) => records === SHARED_RECORDS);
    const how = traceparent ? "with" : "without";
    for (const [where, published, maxBytes] of [
      ["alone", await alone(requests, traceparent), ALONE_MAX_BYTES],
      [`${SHARED_RECORDS} in a message`, shared, SHARED_MAX_BYTES],
    ] as const) {
      const what = `${where}, ${how} \`traceparent\``;
      sizes.push({ what, ...sizesOf(published), ...(traceparent ? {} : { maxBytes }) });
    }
  }
  const rates = [];
  for (const rate of [100, 1000] as const) {
    step(`${rate} requests a second`, 2 + rates.length, steps);
    const published = await drive({ traceparent: true, requests, gapMs: poisson(rate) });
    rates.push({ rate, records: total(published, "records"), messages: published.length, requests });
  }
  step("built policy", 4, steps);
  const text = await policyText();
  const policy = { bytes: Buffer.byteLength(text), gzipBytes: await gzipBytesOf(text) };
  step("done", steps, steps);
  return { ...report(sizes, rates, policy), data: { sizes, rates, policy } };
}

/** No record waits for another. */
function alone(requests: number, traceparent: boolean) {
  return drive({ requests, traceparent, gapMs: () => 1_000, options: { maxRecords: 1 } });
}

/** So many at once that every message is full. */
function together(requests: number, traceparent: boolean) {
  return drive({ requests, traceparent, gapMs: () => 0.1, options: { maxRecords: SHARED_RECORDS } });
}

function sizesOf(published: readonly Published[]) {
  const each = published.map(({ bytes, records }) => bytes / records);
  const mean = total(published, "bytes") / total(published, "records");
  return { mean, p50: quantile(each, 0.5), p99: quantile(each, 0.99) };
}

function total(published: readonly Published[], field: "bytes" | "records"): number {
  return sum(published.map((one) => one[field]));
}

type Rate = {
  readonly rate: 100 | 1000;
  readonly records: number;
  readonly messages: number;
  readonly requests: number;
};

function report(
  sizes: readonly Sizes[],
  rates: readonly Rate[],
  policy: { readonly bytes: number; readonly gzipBytes: number },
): Omit<PartReport, "data"> {
  const goals: Goal[] = [
    ...sizes.flatMap(({ what, maxBytes, mean }) => {
      const figure = `${mean.toFixed(1)} on average`;
      return maxBytes
        ? { name: `bytes of a record ${what}`, goal: `≤ ${maxBytes}`, figure, met: mean <= maxBytes }
        : [];
    }),
    ...rates.map((rate) => ({
      name: `messages for 1,000 requests at ${rate.rate}/s`,
      goal: `≤ ${MESSAGES_PER_1000[rate.rate]}`,
      figure: perThousand(rate).toFixed(0),
      met: perThousand(rate) <= MESSAGES_PER_1000[rate.rate] && rate.records === rate.requests,
    })),
    {
      name: "built policy, minified, gzip",
      goal: `≤ ${POLICY_MAX_GZIP_BYTES / 1000} kB`,
      figure: kilobytes(policy.gzipBytes),
      met: policy.gzipBytes <= POLICY_MAX_GZIP_BYTES,
    },
  ];
  const tables = [
    {
      title: "Bytes of a message's body for each record",
      head: ["records", "average", "p50", "p99"],
      rows: sizes.map(({ what, mean, p50, p99 }) => [what, mean.toFixed(0), p50.toFixed(0), p99.toFixed(0)]),
    },
  ];
  return { goals, tables, notes: NOTES };
}

function perThousand({ messages, requests }: Rate): number {
  return (messages / requests) * 1000;
}

const NOTES = [
  WORKLOAD_NOTE,
  "The goals are for a typical record. It has no `traceparent`, because browsers send none unless a tracing library adds it. The 24 random " +
    "bytes of a `traceparent` cannot be compressed, so the rows with it have no goal. Ten records or more are deflated, with their ids " +
    "beside them. Fewer are plain JSON.",
  "The requests go through the policy's own core on a virtual clock, in one isolate, with the default options unless a row says otherwise. " +
    "Arrivals are Poisson, and every record must reach the queue. The rates are for one isolate: traffic that is spread over several " +
    "isolates needs more messages.",
  `For comparison: the event in the example of the documented WorkOS policy has ${DOCUMENTED_EVENT_BYTES} bytes, with two targets and one metadata value.`,
];
