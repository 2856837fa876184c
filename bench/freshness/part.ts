/** Time from a request to its stored event on the laptop stack: at three rates and after a burst, with a fast and a slow WorkOS. */
import { quantile } from "simple-statistics";
import { type Stack, startStack } from "../../dev/stack.ts";
import { EVENTS_PATH } from "../../dev/workos/routes.ts";
import { poisson } from "../bytes/measure.ts";
import type { Goal, Part, PartReport, RunContext } from "../report/part.ts";
import { generator } from "../workload.ts";
import { type Delays, measureDelays } from "./measure.ts";

export const part: Part = { name: "freshness", title: "Time from the request to the stored event", run };

interface Load {
  readonly name: string;
  readonly requests: number;
  /** Mean rate. */
  readonly perSecond: number;
  readonly p50MaxMs?: number;
  readonly p99MaxMs: number;
}

/** The goals are those for WorkOS answering in 50 ms. Durations are our choice, within the time of a run. */
const LOADS: readonly Load[] = [
  { name: "1 a second", requests: 20, perSecond: 1, p50MaxMs: 150, p99MaxMs: 500 },
  { name: "20 a second", requests: 200, perSecond: 20, p50MaxMs: 150, p99MaxMs: 500 },
  { name: "75 a second", requests: 600, perSecond: 75, p50MaxMs: 150, p99MaxMs: 500 },
  { name: "a burst of 300 in a second", requests: 300, perSecond: 300, p99MaxMs: 2_000 },
];
const GOAL_WORKOS_MS = 50;
const WORKOS_MS = [GOAL_WORKOS_MS, 200] as const;
/** Keeps the compilers' work out of the first row. */
const WARM_UP: Load = { name: "warming up", requests: 200, perSecond: 40, p99MaxMs: Infinity };

export interface Measured {
  readonly load: Load;
  readonly workosMs: number;
  readonly delays: Delays;
}

async function run({ quick, step }: RunContext): Promise<PartReport> {
  const total = WORKOS_MS.length * LOADS.length + 2;
  step("starting the stack", 0, total);
  const stack = await startStack();
  try {
    step(WARM_UP.name, 1, total);
    await measureDelays(stack, timesOf(WARM_UP, quick));
    const results: Measured[] = [];
    for (const workosMs of WORKOS_MS) {
      setAnswerTime(stack, workosMs);
      for (const load of LOADS) {
        step(`${load.name}, WorkOS answers in ${workosMs} ms`, results.length + 2, total);
        results.push({ load, workosMs, delays: await measureDelays(stack, timesOf(load, quick)) });
      }
    }
    step("done", total, total);
    return report(results);
  } finally {
    await stack.stop();
  }
}

function setAnswerTime(stack: Stack, delayMs: number): void {
  stack.workos.faults.clear();
  stack.workos.faults.add({ match: { path: EVENTS_PATH }, delayMs });
}

/** When each request starts, in ms: Poisson arrivals, the same in every run. */
function timesOf({ requests, perSecond }: Load, quick: boolean): readonly number[] {
  const draw = generator(1);
  const gapMs = poisson(perSecond);
  // A burst keeps its size: a tenth of it would be no burst.
  const count = quick && perSecond < 300 ? Math.max(5, requests / 10) : requests;
  let atMs = 0;
  return Array.from({ length: count }, () => (atMs += gapMs(draw)));
}

/** Makes the report of what was measured. */
export function report(results: readonly Measured[]): PartReport {
  return {
    goals: results.filter(({ workosMs }) => workosMs === GOAL_WORKOS_MS).flatMap(goalsOf),
    tables: WORKOS_MS.map((workosMs) => ({
      title: `WorkOS answers in ${workosMs} ms`,
      head: ["requests", "count", "p50 ms", "p99 ms", "most ms", "lost", "stored twice"],
      rows: results.filter((one) => one.workosMs === workosMs).map(rowOf),
    })),
    charts: WORKOS_MS.map((workosMs) => ({
      name: `workos-${workosMs}-ms`,
      title: `Time from the request to the stored event, WorkOS answers in ${workosMs} ms`,
      unit: "ms",
      bars: results
        .filter((one) => one.workosMs === workosMs)
        .flatMap(({ load, delays }) =>
          (
            [
              ["p50", 0.5],
              ["p99", 0.99],
            ] as const
          ).map(([name, q]) => ({
            label: `${load.name}, ${name}`,
            value: at(delays, q) ?? NaN,
          })),
        ),
    })),
    notes: NOTES,
    data: results.map(({ load, workosMs, delays }) => ({
      load: load.name,
      workosMs,
      count: delays.delaysMs.length,
      p50Ms: at(delays, 0.5),
      p99Ms: at(delays, 0.99),
      maxMs: at(delays, 1),
      lost: delays.lost,
      doubled: delays.doubled,
    })),
  };
}

function goalsOf({ load, delays }: Measured): readonly Goal[] {
  const limits = [
    ["p50", 0.5, load.p50MaxMs],
    ["p99", 0.99, load.p99MaxMs],
  ] as const;
  return limits.flatMap(([name, q, maxMs]) => {
    if (maxMs === undefined) return [];
    const ms = at(delays, q);
    const whole = delays.lost === 0 && delays.doubled === 0;
    return {
      name: `${name} from request to event, ${load.name}`,
      goal: `≤ ${maxMs} ms, each stored once`,
      figure: `${ms?.toFixed(0) ?? "nothing stored"}${ms === undefined ? "" : " ms"}${whole ? "" : `, ${delays.lost} lost, ${delays.doubled} stored twice`}`,
      met: ms !== undefined && ms <= maxMs && whole,
    };
  });
}

function rowOf({ load, delays }: Measured): readonly string[] {
  const figures = [0.5, 0.99, 1].map((q) => at(delays, q)?.toFixed(0) ?? "none");
  return [load.name, String(delays.delaysMs.length), ...figures, String(delays.lost), String(delays.doubled)];
}

/** A quantile in ms, or undefined if no event was stored. */
function at({ delaysMs }: Delays, q: number): number | undefined {
  return delaysMs.length === 0 ? undefined : quantile([...delaysMs], q);
}

const NOTES = [
  "The stack is that of `npm run dev`: the real gateway with the example project, the development queue, the worker in workerd, and a stand-in for " +
    "WorkOS that stores an event only after its answer time. The queue and the stand-in share one process with the caller. " +
    "Requests arrive at random (Poisson) and do not wait for one another. The delay runs from the start of the request to the stored event, on one clock. " +
    "At 1 a second there are only 20 requests, so p99 is close to the slowest. The goals are for 50 ms; 200 ms has figures without a goal. " +
    "QStash's own delay and the network are not in it.",
];
