/** The series of `GET /api/metrics`, made from the monitor's minutes or hours. Pure. */
import { METRIC_SERIES, type MetricSeries, type MetricsAnswer, type Point } from "../../shared/api.ts";
import { quantileMs } from "./ages.ts";
import { GAUGE_PREFIX, mergeNumbers, slotOf, type Slot } from "./history.ts";
import type { Numbers } from "../numbers.ts";

interface Range {
  readonly fromS: number;
  /** Exclusive. */
  readonly untilS: number;
  readonly stepS: number;
}

/** Returns every series of a period. Counts have a point per step; states and ages only where a value is known. */
export function seriesOf(slots: readonly Slot[], { fromS, untilS, stepS }: Range): MetricsAnswer {
  const bySteps = Map.groupBy(slots, ({ atS }) => slotOf(atS, stepS));
  const steps: [atS: number, numbers: Numbers][] = [];
  for (let atS = slotOf(fromS, stepS); atS < untilS; atS += stepS) {
    steps.push([atS, mergeNumbers((bySteps.get(atS) ?? []).map(({ numbers }) => numbers))]);
  }
  const pointsOf = (name: MetricSeries): Point[] =>
    steps.flatMap(([atS, numbers]) => {
      const value = valueOf(name, numbers);
      return value === undefined ? [] : [[atS, value] as const];
    });
  const series = Object.fromEntries(METRIC_SERIES.map((name) => [name, pointsOf(name)]));
  return { step_seconds: stepS, series: series as unknown as MetricsAnswer["series"] };
}

function valueOf(name: MetricSeries, numbers: Numbers): number | undefined {
  if (name === "age_p50_ms") return quantileMs(agesOf(numbers), 0.5);
  if (name === "age_p99_ms") return quantileMs(agesOf(numbers), 0.99);
  const isCount = name === "delivered" || name === "retried" || name === "refused";
  return isCount ? (numbers[name] ?? 0) : numbers[GAUGE_PREFIX + name];
}

function agesOf(numbers: Numbers): ReadonlyMap<number, number> {
  const ages = Object.entries(numbers).filter(([name]) => name.startsWith("age_"));
  return new Map(ages.map(([name, count]) => [Number(name.slice("age_".length)), count]));
}
