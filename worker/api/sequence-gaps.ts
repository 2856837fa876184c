/** Gaps in the sequence numbers of the gateway's isolates. Pure. */
import type { SequenceRun } from "../ledger/types.ts";

export interface Isolate {
  readonly isolate: string;
  /** Lowest and highest number seen; what came before or after them nobody can tell. */
  readonly first: number;
  readonly last: number;
  readonly seen: number;
  /** What lies between and was not seen, from and to inclusive. */
  readonly missing: readonly { readonly from: number; readonly to: number }[];
}

/** Puts runs from several places together, by isolate; runs may overlap. */
export function isolatesOf(runs: readonly SequenceRun[]): readonly Isolate[] {
  const byIsolate = Map.groupBy(runs, ({ isolate }) => isolate);
  return [...byIsolate].map(([isolate, group]) => isolateOf(isolate, group));
}

function isolateOf(isolate: string, runs: readonly SequenceRun[]): Isolate {
  const sorted = runs.toSorted((a, b) => a.first - b.first);
  const missing: { from: number; to: number }[] = [];
  const first = sorted[0]?.first ?? 0;
  let last = first - 1;
  for (const run of sorted) {
    if (run.first > last + 1) missing.push({ from: last + 1, to: run.first - 1 });
    last = Math.max(last, run.last);
  }
  return { isolate, first, last, seen: last - first + 1 - countOf(missing), missing };
}

/** How many numbers are missing. */
export function countOf(missing: Isolate["missing"]): number {
  return missing.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}
