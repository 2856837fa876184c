/** The request of a replay. */
import type { Filter } from "../dead-letters/query.ts";
import type { Mend } from "./mended-record.ts";

export type Selection =
  | { readonly kind: "event_ids"; readonly eventIds: readonly string[] }
  | { readonly kind: "filter"; readonly filter: Filter }
  | { readonly kind: "all" }
  /** The plan that a dry run showed. */
  | { readonly kind: "plan"; readonly planId: string };

export interface ReplayRequest {
  readonly selection: Selection;
  /** The selection as requested, for people. */
  readonly asked: Readonly<Record<string, unknown>>;
  readonly dryRun: boolean;
  /** Who made the confirmed plan. */
  readonly plannedBy?: string | undefined;
  readonly acceptDuplicates: boolean;
  readonly name?: string | undefined;
  /** Records a second. */
  readonly rate: number;
  readonly stopOnErrorRate?: number | undefined;
  readonly mend?: Mend | undefined;
}
