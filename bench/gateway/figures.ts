/** Figures of interleaved rounds: quantiles and failures of a route, its ratios to another, and the table of all routes. */
import type { Goal, Table } from "../report/part.ts";
import { type Estimate, estimate, overlaps, pooled, times } from "../stats/summary.ts";
import { PATIENCE_MS, type Round } from "./measure.ts";

const HEAD = ["route", "requests", "p50 ms", "p99 ms", "p50 to none", "p99 to none", "not 200", "gave up", "CPU µs"];

interface RouteFigures {
  readonly requests: number;
  readonly failed: number;
  readonly gaveUp: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p50Ratio: Estimate;
  readonly p99Ratio: Estimate;
  readonly cpuMicrosPerRequest: number;
}

/** A quantile of a subject divided by that of another, paired by rounds. */
export function ratioOf<Subject extends string>(
  rounds: readonly Round<Subject>[],
  subject: Subject,
  to: Subject,
  q: number,
): Estimate {
  return estimate(rounds, (some) => quantileOf(some, subject, q) / quantileOf(some, to, q));
}

/** The goal that our policy costs no more than two equal routes differ by: its ratio to no policy against that of the control. */
export function noiseGoal(name: string, ours: Estimate, control: Estimate): Goal {
  return {
    name,
    goal: `within noise: control ${times(control)}`,
    figure: times(ours),
    met: ours.value <= control.value || overlaps(ours, control),
  };
}

/** The figures of one route; its ratios are to the route `none`. */
export function figuresOf<Subject extends string>(
  rounds: readonly Round<Subject>[],
  subject: Subject,
  none: Subject,
): RouteFigures {
  const blocks = rounds.map((round) => round[subject]);
  const requests = requestsTo(rounds, subject);
  const add = (field: "failed" | "gaveUp" | "cpuMicros") => blocks.reduce((sum, block) => sum + block[field], 0);
  return {
    requests,
    failed: add("failed"),
    gaveUp: add("gaveUp"),
    p50Ms: quantileOf(rounds, subject, 0.5),
    p99Ms: quantileOf(rounds, subject, 0.99),
    p50Ratio: ratioOf(rounds, subject, none, 0.5),
    p99Ratio: ratioOf(rounds, subject, none, 0.99),
    cpuMicrosPerRequest: add("cpuMicros") / requests,
  };
}

/** The number of requests that a route got. */
export function requestsTo<Subject extends string>(rounds: readonly Round<Subject>[], subject: Subject): number {
  return rounds.reduce((sum, round) => sum + round[subject].latenciesMs.length, 0);
}

/** A table with one row for each route. */
export function routeTable(title: string, routes: readonly (readonly [name: string, figures: RouteFigures])[]): Table {
  const rows = routes.map(([name, figures]) => [
    name,
    String(figures.requests),
    latency(figures.p50Ms),
    latency(figures.p99Ms),
    times(figures.p50Ratio),
    times(figures.p99Ratio),
    String(figures.failed),
    String(figures.gaveUp),
    figures.cpuMicrosPerRequest.toFixed(0),
  ]);
  return { title, head: HEAD, rows };
}

function quantileOf<Subject extends string>(rounds: readonly Round<Subject>[], subject: Subject, q: number): number {
  return pooled(
    rounds.map((round) => round[subject].latenciesMs),
    q,
  );
}

function latency(ms: number): string {
  return ms >= PATIENCE_MS ? `> ${PATIENCE_MS}` : ms.toFixed(2);
}
