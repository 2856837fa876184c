/** How fast a backlog drains at WorkOS's limit, on a virtual clock, and whether pacing alone makes dead letters. */
import type { Goal, Part, PartReport, RunContext } from "../report/part.ts";
import { drain, type Drained } from "./simulate.ts";
import { ANSWER_MS, type Window } from "./workos.ts";

export const part: Part = { name: "drain", title: "Drain of a backlog at WorkOS's limit", run };

const RECORDS = 100_000;
/** The default of `AUDIT_RATE`. */
const RATE_PER_SECOND = 80;
const MIN_SHARE = 0.95;
const WINDOWS: Readonly<Record<string, Window>> = {
  "6,000 in 60 s": { requests: 6_000, windowMs: 60_000 },
};

interface Case {
  readonly window: string;
  readonly recordsPerMessage: number;
  readonly rate: number;
}

const CASES: readonly Case[] = Object.keys(WINDOWS).flatMap((window) =>
  [1, 20].map((recordsPerMessage) => ({ window, recordsPerMessage, rate: RATE_PER_SECOND })),
);

interface Result extends Case, Drained {
  readonly perSecond: number;
}

async function run({ quick, step }: RunContext): Promise<PartReport> {
  const records = quick ? RECORDS / 10 : RECORDS;
  const results: Result[] = [];
  for (const [index, one] of CASES.entries()) {
    const limit = WINDOWS[one.window];
    if (!limit) continue;
    const drained = await drain({
      ...one,
      records,
      limit,
      onEvents: (events) =>
        step(`${one.recordsPerMessage} in a message, ${one.window}`, index * records + events, CASES.length * records),
    });
    results.push({ ...one, ...drained, perSecond: drained.events / drained.seconds });
  }
  return report(results, records);
}

function report(results: readonly Result[], records: number): PartReport {
  const goals: Goal[] = results.map((result) => ({
    name: `drain, ${result.recordsPerMessage} in a message, limit ${result.window}`,
    goal: `≥ ${MIN_SHARE * 100} % of ${RATE_PER_SECOND}/s, no 429, every record an event, no dead letter`,
    figure: `${((result.perSecond / RATE_PER_SECOND) * 100).toFixed(1)} %, ${result.refusedByWorkos} refused, ${result.events} of ${records} events, ${result.deadLetters} dead letters`,
    met:
      result.perSecond >= MIN_SHARE * RATE_PER_SECOND &&
      result.refusedByWorkos === 0 &&
      result.events === records &&
      result.deadLetters === 0,
  }));
  const table = {
    title: `${records} records that wait`,
    head: [
      "records in a message",
      "WorkOS's limit",
      "`AUDIT_RATE`",
      "drained in s",
      "events/s",
      "refused with 429",
      "retried deliveries",
      "dead letters",
    ],
    rows: results.map((result) => [
      String(result.recordsPerMessage),
      result.window,
      String(result.rate),
      result.seconds.toFixed(0),
      result.perSecond.toFixed(1),
      String(result.refusedByWorkos),
      String(result.retries),
      String(result.deadLetters),
    ]),
  };
  return { goals, tables: [table], notes: NOTES, data: results };
}

const NOTES = [
  "This is a discrete-event simulation on one virtual clock. It runs the development queue's scheduler, store and flow control, and the " +
    "worker's decoding, delivery, ledger and answers (its core, not workerd), with a WorkOS that counts requests in fixed windows. It does " +
    `not include the network, HTTP or QStash's service. WorkOS answers after ${ANSWER_MS} ms. A 429 has no \`Retry-After\`, because the ` +
    "API description mentions none. WorkOS does not say how its 6,000 requests in 60 s may be spread. The worker sends at most 600 in a " +
    "burst, and `AUDIT_RATE` after it.",
];
