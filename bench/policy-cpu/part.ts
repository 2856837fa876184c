/** CPU that the built policy spends on a request, in workerd. */
import { mean } from "simple-statistics";
import type { Goal, Part, PartReport, RunContext } from "../report/part.ts";
import { type Estimate, estimate } from "../stats/summary.ts";
import { WORKLOAD_NOTE } from "../workload.ts";
import { type Isolate, startIsolate } from "./isolate.ts";
import type { Subject } from "./loop.ts";

export const part: Part = { name: "policy-cpu", title: "CPU of the policy for each request", run };

const TYPICAL_MAX_MICROS = 30;
const SELECTORS_MAX_MICROS = 60;
const KINDS = [
  { name: "typical", selectors: false, maxMicros: TYPICAL_MAX_MICROS },
  { name: "five selectors more, one of the body", selectors: true, maxMicros: SELECTORS_MAX_MICROS },
] as const;

type Kind = (typeof KINDS)[number];
type Round = Readonly<Record<Subject, number>>;

async function run({ quick, step }: RunContext): Promise<PartReport> {
  const rounds = quick ? 3 : 12;
  step("starting workerd", 0, rounds);
  const isolate = await startIsolate();
  try {
    const measured: [Kind, Round[]][] = KINDS.map((kind) => [kind, []]);
    // The compiler needs a few thousand calls before its code stays the same.
    for (const kind of KINDS) await measureRound(isolate, kind);
    for (let round = 0; round < rounds; round++) {
      for (const [kind, list] of measured) list.push(await measureRound(isolate, kind));
      step("measuring", round + 1, rounds);
    }
    return report(measured);
  } finally {
    await isolate.stop();
  }
}

const IN_A_LOOP = 10_000;
const ONE_BY_ONE = 2_000;

async function measureRound(isolate: Isolate, { selectors }: Kind): Promise<Round> {
  const loop = await isolate.measure("loop", selectors, IN_A_LOOP);
  const capture = await isolate.measure("capture", selectors, IN_A_LOOP);
  const single = await isolate.measure("single", selectors, ONE_BY_ONE);
  const whole = await isolate.measure("whole", selectors, ONE_BY_ONE);
  return { loop, capture, single, whole };
}

function report(measured: readonly (readonly [Kind, readonly Round[]])[]): PartReport {
  const figures = measured.map(([kind, rounds]) => ({
    kind,
    capture: estimate(rounds, (some) => mean(some.map(({ capture, loop }) => capture - loop))),
    whole: estimate(rounds, (some) => mean(some.map(({ whole, single }) => whole - single))),
    loop: mean(rounds.map(({ loop }) => loop)),
    single: mean(rounds.map(({ single }) => single)),
  }));
  const goals: Goal[] = figures.map(({ kind: { name, maxMicros }, capture }) => ({
    name: `synchronous CPU for each request, ${name}`,
    goal: `≤ ${maxMicros} µs`,
    figure: micros(capture),
    met: capture.value <= maxMicros,
  }));
  const table = {
    title: "CPU µs for each request, above the same without the policy (which is in brackets)",
    head: ["request", "synchronous: until the response", "all of it"],
    rows: figures.map(({ kind, capture, loop, whole, single }) => [
      kind.name,
      `${micros(capture)} [${loop.toFixed(0)}]`,
      `${micros(whole)} [${single.toFixed(0)}]`,
    ]),
  };
  return { goals, tables: [table], notes: [...NOTES, WORKLOAD_NOTE], data: { figures } };
}

function micros({ value, low, high }: Estimate): string {
  return `${value.toFixed(1)} µs (${low.toFixed(1)}–${high.toFixed(1)})`;
}

const NOTES = [
  "The built module runs in bare workerd, with a stub for Zuplo's runtime and a `fetch` that answers at once. CPU is the CPU time of the " +
    "whole process, including garbage collection and the compiler, read from outside. Each round subtracts the CPU time of the same " +
    "requests without the policy. Synchronous CPU is what a caller may wait for: the policy and its hooks, for " +
    `${IN_A_LOOP} requests in a loop, without the work after the response. All of it is ${ONE_BY_ONE} separate HTTP requests over ` +
    "twenty connections, each with its own context, timers and `waitUntil`, until `fetch` gets the shared message.",
];
