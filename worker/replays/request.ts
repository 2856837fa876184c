/** What a replay was asked for. */
import type { Filter } from "../dead-letters/query.ts";
import type { Mend } from "./mended-record.ts";

export type Selection =
  | { readonly kind: "event_ids"; readonly eventIds: readonly string[] }
  | { readonly kind: "filter"; readonly filter: Filter }
  | { readonly kind: "all" }
  /** What a dry run has shown. */
  | { readonly kind: "plan"; readonly planId: string };

export interface ReplayRequest {
  readonly selection: Selection;
  /** The selection as it was asked for, for people. */
  readonly asked: Readonly<Record<string, unknown>>;
  readonly dryRun: boolean;
  /** Who made the plan that is confirmed. */
  readonly plannedBy?: string | undefined;
  readonly acceptDuplicates: boolean;
  readonly name?: string | undefined;
  /** Records a second. */
  readonly rate: number;
  readonly stopOnErrorRate?: number | undefined;
  readonly mend?: Mend | undefined;
}
