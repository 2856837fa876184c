/** Gaps in the sequence numbers of the gateway's isolates. Pure. */
import type { SequenceRun } from "./types.ts";

interface Isolate {
  readonly isolate: string;
  /** Lowest and highest number seen; nobody can tell what came before or after. */
  readonly first: number;
  readonly last: number;
  readonly seen: number;
  /** Missing numbers in between, from and to inclusive. */
  readonly missing: readonly { readonly from: number; readonly to: number }[];
}

/**
 * Merges runs from several places by isolate; runs may overlap. `around` are the runs of a longer period: numbers in them are not
 * missing. An isolate counts a request when it ends, so numbers at both ends of a period do not follow the order of its ids.
 */
export function isolatesOf(runs: readonly SequenceRun[], around: readonly SequenceRun[] = runs): readonly Isolate[] {
  const byIsolate = Map.groupBy(runs, ({ isolate }) => isolate);
  const aroundByIsolate = Map.groupBy(around, ({ isolate }) => isolate);
  return [...byIsolate].map(([isolate, group]) => {
    const first = group.reduce((lowest, run) => Math.min(lowest, run.first), Infinity);
    const last = group.reduce((highest, run) => Math.max(highest, run.last), 0);
    const missing = missingOf(first, last, [...group, ...(aroundByIsolate.get(isolate) ?? [])]);
    return { isolate, first, last, seen: last - first + 1 - countOf(missing), missing };
  });
}

/** Returns the numbers between two, both inclusive, that are in no run. */
function missingOf(first: number, last: number, runs: readonly SequenceRun[]): Isolate["missing"] {
  const missing: { from: number; to: number }[] = [];
  let next = first;
  for (const run of runs.toSorted((a, b) => a.first - b.first)) {
    if (run.first > next && next <= last) missing.push({ from: next, to: Math.min(run.first - 1, last) });
    next = Math.max(next, run.last + 1);
  }
  return missing;
}

/** Returns how many numbers are missing. */
export function countOf(missing: Isolate["missing"]): number {
  return missing.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}
