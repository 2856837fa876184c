/** What the charts show of `GET /api/metrics`: ranges, totals and newest values. Pure. */
import type { Point } from "../../shared/api.ts";

/** The ranges by their name in the address. Steps are coarse enough that a chart has at most about 300 points. */
export const RANGES = {
  "1h": { seconds: 3_600, step: 60, label: "1 h" },
  "24h": { seconds: 86_400, step: 300, label: "24 h" },
  "7d": { seconds: 7 * 86_400, step: 3_600, label: "7 d" },
  "30d": { seconds: 30 * 86_400, step: 10_800, label: "30 d" },
} as const;
export type RangeName = keyof typeof RANGES;

/** Returns the range that an address names; the default is the last 24 hours. */
export function rangeNamed(name: string | null): RangeName {
  return name !== null && Object.hasOwn(RANGES, name) ? (name as RangeName) : "24h";
}

type Points = readonly Point[];

/** The sum of a series of counts. */
export function totalOf(points: Points = []): number {
  return points.reduce((sum, [, value]) => sum + (value ?? 0), 0);
}

/** The newest value of a series, or undefined if it has none. */
export function newestOf(points: Points = []): number | undefined {
  return points.findLast(([, value]) => value !== null)?.[1] ?? undefined;
}

const NUMBER = new Intl.NumberFormat();
/** Formats a count in the person's language. */
export function count(value: number): string {
  return NUMBER.format(value);
}
