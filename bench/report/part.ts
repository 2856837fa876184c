/** What a part of the benchmark is, and what it hands to the report. */

import type { Chart } from "./chart.ts";

export const PART_NAMES = [
  "gateway",
  "protocols",
  "policy-cpu",
  "bytes",
  "worker",
  "growth",
  "drain",
  "outage",
  "freshness",
  "evidence",
  "sealing",
] as const;
export type PartName = (typeof PART_NAMES)[number];

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A figure that was promised, and what was measured. */
export interface Goal {
  readonly name: string;
  readonly goal: string;
  readonly figure: string;
  readonly met: boolean;
}

export interface PartReport {
  readonly tables: readonly Table[];
  readonly goals: readonly Goal[];
  /** Shown below the tables. */
  readonly charts?: readonly Chart[];
  /** How it was measured and what must be known to read it; a paragraph each. */
  readonly notes: readonly string[];
  /** The figures behind the tables, for `results.json`. */
  readonly data: unknown;
}

export interface RunContext {
  /** A tenth of the work: enough to see that it runs, not enough to quote. */
  readonly quick: boolean;
  /** Tells how far the part is; `total` steps in all. */
  readonly step: (label: string, done: number, total: number) => void;
}

export interface Part {
  readonly name: PartName;
  readonly title: string;
  run(context: RunContext): Promise<PartReport>;
}
