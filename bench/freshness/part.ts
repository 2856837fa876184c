/** Time from a request to its stored event on the laptop stack: at three rates and after a burst, with a fast and a slow WorkOS. */
import { quantile, shuffle } from "simple-statistics";
import { type Stack, startStack } from "../../dev/stack.ts";
import { variablesOf } from "../../dev/worker-variables.ts";
import { EVENTS_PATH } from "../../dev/workos/routes.ts";
import { poisson } from "../bytes/measure.ts";
import type { Goal, Part, PartReport, RunContext } from "../report/part.ts";
import { AuditError } from "../../shared/errors.ts";
import { peerBundle } from "../worker/bundles.ts";
import { startWorkerd } from "../workerd.ts";
import { generator } from "../workload.ts";
import { type Delays, measureDelays } from "./measure.ts";
import { pathOf, peerExtension, type Subject, SUBJECT_TITLES, SUBJECTS } from "./subjects.ts";

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
  { name: "burst of 300 in a second", requests: 300, perSecond: 300, p99MaxMs: 2_000 },
];
const GOAL_WORKOS_MS = 50;
/** For each API key. https://workos.com/docs/reference/rate-limits */
const WORKOS_RATE_LIMIT = { requests: 6_000, windowMs: 60_000 };
const WORKOS_MS = [GOAL_WORKOS_MS, 200] as const;
/** Keeps the compilers' work out of the first row. */
const WARM_UP: Load = { name: "warming up", requests: 200, perSecond: 40, p99MaxMs: Infinity };

export interface Measured {
  readonly subject: Subject;
  readonly load: Load;
  readonly workosMs: number;
  readonly delays: Delays;
}

async function run({ quick, step }: RunContext): Promise<PartReport> {
  const total = WORKOS_MS.length * LOADS.length * SUBJECTS.length + 2;
  step("starting the stack", 0, total);
  const stops: (() => Promise<void>)[] = [];
  try {
    const stack = await startAll(stops);
    step(WARM_UP.name, 1, total);
    for (const subject of SUBJECTS) await measureDelays(stack, pathOf(subject), timesOf(WARM_UP, quick));
    await compareFlowControl(stack.queue);
    const results: Measured[] = [];
    for (const workosMs of WORKOS_MS) {
      setAnswerTime(stack, workosMs);
      for (const load of LOADS) {
        for (const subject of shuffle([...SUBJECTS])) {
          step(`${load.name}, ${subject}, WorkOS answers in ${workosMs} ms`, results.length + 2, total);
          const delays = await measureDelays(stack, pathOf(subject), timesOf(load, quick));
          results.push({ subject, load, workosMs, delays });
        }
      }
    }
    step("done", total, total);
    return report(results);
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

/** The stack of `npm run dev` with the peers in its gateway, and the worker that the SDKs' messages go to. */
async function startAll(stops: (() => Promise<void>)[]): Promise<Stack> {
  const stack = await startStack({
    extendGateway: async ({ workos, queue }) => {
      const bindings = variablesOf(workos, queue);
      const sdk = await startWorkerd([{ name: "sdk", script: await peerBundle("sdk"), bindings }]);
      stops.push(() => sdk.stop());
      return peerExtension(workos, sdk.urls[0] ?? "");
    },
  });
  stops.push(() => stack.stop());
  stack.workos.knobs.rateLimit = WORKOS_RATE_LIMIT;
  return stack;
}

/** Throws `internal` unless QStash holds the messages of both policies to the same limits. */
async function compareFlowControl({ url, token }: Stack["queue"]): Promise<void> {
  const response = await fetch(`${url}/v2/flowControl`, { headers: { authorization: `Bearer ${token}` } });
  const keys = (await response.json()) as readonly FlowKey[];
  const limits = new Set(
    keys.map(({ parallelismMax, rateMax, ratePeriod }) => `${parallelismMax}/${rateMax}/${ratePeriod}`),
  );
  if (keys.length === 2 && limits.size === 1) return;
  throw new AuditError("internal", `the flow control differs: ${JSON.stringify(keys)}`);
}

interface FlowKey {
  readonly parallelismMax: number;
  readonly rateMax: number;
  readonly ratePeriod: number;
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
export function report(measured: readonly Measured[]): PartReport {
  const results = measured.toSorted((left, right) => SUBJECTS.indexOf(left.subject) - SUBJECTS.indexOf(right.subject));
  const ofLoads = (workosMs: number) =>
    LOADS.flatMap(({ name }) => results.filter((one) => one.workosMs === workosMs && one.load.name === name));
  return {
    goals: ofLoads(GOAL_WORKOS_MS)
      .filter(({ subject }) => subject === "ours")
      .flatMap(goalsOf),
    tables: WORKOS_MS.map((workosMs) => ({
      title: `WorkOS answers in ${workosMs} ms`,
      head: ["requests", "policy", "stored", "p50 ms", "p99 ms", "most ms", "lost", "stored twice"],
      rows: ofLoads(workosMs).map(rowOf),
    })),
    charts: WORKOS_MS.map((workosMs) => ({
      name: `workos-${workosMs}-ms`,
      title: `Time from the request to the stored event at p99, WorkOS answers in ${workosMs} ms`,
      unit: "ms",
      bars: ofLoads(workosMs).map(({ subject, load, delays }) => ({
        label: `${load.name}, ${CHART_NAMES[subject]}`,
        value: at(delays, 0.99) ?? NaN,
      })),
    })),
    notes: NOTES,
    data: WORKOS_MS.flatMap(ofLoads).map(({ subject, load, workosMs, delays }) => ({
      subject,
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

/** Short enough for the labels of a chart. */
const CHART_NAMES: Readonly<Record<Subject, string>> = { ours: "ours", sdk: "SDKs", documented: "documented" };

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

function rowOf({ subject, load, delays }: Measured): readonly string[] {
  const figures = [0.5, 0.99, 1].map((q) => at(delays, q)?.toFixed(0) ?? "none");
  const { delaysMs, lost, doubled } = delays;
  return [load.name, SUBJECT_TITLES[subject], String(delaysMs.length), ...figures, String(lost), String(doubled)];
}

/** A quantile in ms, or undefined if no event was stored. */
function at({ delaysMs }: Delays, q: number): number | undefined {
  return delaysMs.length === 0 ? undefined : quantile([...delaysMs], q);
}

const NOTES = [
  "The stack is that of `npm run dev`: the real gateway with the example project, the development queue, the worker in " +
    "workerd, and a stand-in for WorkOS that stores an event only after its answer time. The queue and the stand-in share " +
    "one process with the caller. Requests arrive at random (Poisson) and do not wait for one another. The delay runs from " +
    "the start of the request to the stored event, on one clock. At 1 a second there are only 20 requests, so p99 is close " +
    "to the slowest. The goals apply to 50 ms; 200 ms has no goal. QStash's own delay and the network are not included.",
  "All policies run in the same gateway, each on its own copy of one route, with the same sign-in and handler. At each " +
    "load they take turns in a new random order. The SDKs' policy publishes one message for each event without holding the " +
    "response, with the same flow control as ours (40 at a time, 600 a second). Its handler runs in its own workerd. The " +
    "documented policy calls WorkOS before the response is sent, so the caller waits that long as well. It has neither " +
    "queue nor retry. Only our worker paces its requests to WorkOS: 80 events a second after a burst of 600. The stand-in " +
    "accepts 6,000 requests in 60 s from each policy.",
];
