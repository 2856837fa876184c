/** How late the records of an hour without WorkOS are: ours, and the published retry schedules of others, on a virtual clock. */
import { quantile } from "simple-statistics";
import type { Part, PartReport, RunContext } from "../report/part.ts";
import { minutes } from "../report/quantities.ts";
import { withBreaker } from "./breaker.ts";
import { type Ended, type Outage, SCHEDULES, underSchedule } from "./schedules.ts";

export const part: Part = { name: "outage", title: "An hour without WorkOS", run };

const MINUTE_MS = 60_000;
const OUTAGE: Outage = { lengthMs: 60 * MINUTE_MS, recordsPerSecond: 10 };
const RECOVERED_MAX_MS = 10 * MINUTE_MS;
const ATTEMPTS_MAX = 2;
const OURS = "ours";

export interface Subject extends Ended {
  readonly name: string;
}

async function run({ quick, step }: RunContext): Promise<PartReport> {
  const outage = quick ? { ...OUTAGE, recordsPerSecond: 1 } : OUTAGE;
  step(OURS, 0, 1);
  const ours = { name: OURS, ...(await withBreaker(outage)) };
  const others = Object.entries(SCHEDULES).map(([name, delaysMs]) => ({ name, ...underSchedule(delaysMs, outage) }));
  step("done", 1, 1);
  return report([ours, ...others], outage);
}

/** Makes the report; the first subject is ours. */
export function report(subjects: readonly Subject[], outage: Outage): PartReport {
  const [ours] = subjects;
  if (!ours) throw new TypeError("no subject");
  return {
    goals: [
      {
        name: "last record delivered after WorkOS is back",
        goal: "≤ 10 min, no dead letter",
        figure: `${minutes(ours.recoveredAfterMs)}, ${ours.deadLetters} dead letters`,
        met: ours.recoveredAfterMs <= RECOVERED_MAX_MS && ours.deadLetters === 0,
      },
      {
        name: "attempts that any message used up",
        goal: `≤ ${ATTEMPTS_MAX}`,
        figure: String(ours.mostAttempts),
        met: ours.mostAttempts <= ATTEMPTS_MAX,
      },
    ],
    tables: [
      {
        title: `${inMinutes(outage.lengthMs)} minutes of 503, ${outage.recordsPerSecond} records a second`,
        head: [
          "schedule",
          "last one after recovery, min",
          "late p50, min",
          "late p99, min",
          "attempts, most",
          "dead letters",
        ],
        rows: subjects.map((one) => [
          one.name,
          inMinutes(one.recoveredAfterMs),
          late(one, 0.5),
          late(one, 0.99),
          String(one.mostAttempts),
          String(one.deadLetters),
        ]),
      },
    ],
    charts: [
      {
        name: "recovery",
        title: "Minutes from the end of the outage to the last delivery",
        unit: "min",
        bars: subjects.map(({ name, recoveredAfterMs }) => ({ label: name, value: recoveredAfterMs / MINUTE_MS })),
      },
    ],
    notes: NOTES,
    data: subjects.map(({ latenessMs, ...one }) => ({ ...one, delivered: latenessMs.length })),
  };
}

function late({ latenessMs }: Ended, q: number): string {
  return latenessMs.length === 0 ? "none" : inMinutes(quantile([...latenessMs], q));
}

function inMinutes(ms: number): string {
  return (ms / MINUTE_MS).toFixed(1);
}

const NOTES = [
  "This is a simulation on a virtual clock. Ours uses the worker's own breaker, retry plan and token bucket at the " +
    "default rate of 80 events a second. The path around them is a model in which an attempt takes no time. The others are " +
    "modelled by their published delays alone, without jitter, a rate limit or an operator's actions. Lateness counts only " +
    "records that were delivered. Our probes use up no attempts. A dead letter stays until somebody replays it.",
];
