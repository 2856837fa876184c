/** A made-up history for the pictures of the console: a day with a short outage. */
import type { MetricSeries } from "../../shared/api.ts";

type Point = readonly [number, number];

/** An answer of `GET /api/metrics` for the range that is asked for. */
export function exampleHistory(query: URLSearchParams) {
  const [from, until, step] = ["from", "until", "step"].map((name) => Number(query.get(name))) as [
    number,
    number,
    number,
  ];
  const times = Array.from({ length: Math.floor((until - from) / step) }, (_, index) => from + index * step);
  const of = (value: (share: number) => number): Point[] =>
    times.map((at, index) => [at, Math.round(value(index / times.length))]);
  const series: Readonly<Record<MetricSeries, Point[]>> = {
    delivered: of((share) => wave(share) * (1 - outage(share))),
    retried: of((share) => 34 * outage(share)),
    refused: of((share) => (share > 0.9 && share < 0.93 ? 3 : 0)),
    waiting: of((share) => (share > 0.62 && share < 0.7 ? 900 * Math.min(share - 0.62, 0.7 - share) * 25 : 2)),
    dead_letters_open: of((share) => (share > 0.9 ? 6 : 0)),
    dead_letters_open_rejected: of((share) => (share > 0.9 ? 6 : 0)),
    dead_letters_open_exhausted: of((share) => (share > 0.66 && share < 0.8 ? 2 : 0)),
    dead_letters_open_credential: of(() => 0),
    dead_letters_open_unreadable: of(() => 0),
    age_p50_ms: of((share) => 180 + 20 * Math.sin(share * 40)),
    age_p99_ms: of((share) => 620 + 90 * Math.sin(share * 53) + 2400 * outage(share - 0.03)),
  };
  return { step_seconds: step, series };
}

/** Busy and quiet hours. */
function wave(share: number): number {
  return 60 + 40 * Math.sin(share * 9) + 12 * Math.sin(share * 71);
}

/** 1 while WorkOS was down. */
function outage(share: number): number {
  return share > 0.62 && share < 0.66 ? 1 : 0;
}
