/** The client of the replays. */
import type { Env } from "../env.ts";
import type { Control, Controlled } from "./control.ts";
import type { PlannedReplay } from "./new-replay.ts";
import type { PlanRefusal } from "./stored-plan.ts";
import type { ReplayRequest } from "./request.ts";
import type { ReplayOutcome } from "../../shared/api.ts";
import type { ItemRow, ReplayRow, StoredReplayState } from "./store.ts";

type CreatedReplay = PlannedReplay & {
  readonly kind: "created";
  readonly state: StoredReplayState | "planned";
  /** The request of the confirmed plan, if there was one. */
  readonly name?: string | undefined;
  readonly acceptDuplicates: boolean;
  readonly isMending: boolean;
};

type Answer<T> = T | Promise<T>;

/** The RPC interface of the Durable Object that runs the replays. */
export interface ReplayCalls {
  /** Plans a replay and, unless it is a dry run, starts it. Refuses a plan that is unknown, used or expired. */
  createReplay(
    request: ReplayRequest,
    by: string,
  ): Answer<CreatedReplay | { readonly kind: "refused"; readonly plan: PlanRefusal }>;
  /** Returns replays, newest first; `beforeSeq` continues a list. */
  replays(limit: number, beforeSeq: number | undefined): Answer<ReplayRow[]>;
  replay(id: string): Answer<ReplayRow | undefined>;
  /** Returns undefined if there is no such replay. */
  replayItems(
    id: string,
    outcome: ReplayOutcome | undefined,
    limit: number,
    after: string,
  ): Answer<ItemRow[] | undefined>;
  controlReplay(id: string, control: Control, by: string): Answer<Controlled>;
}

/** The object that runs the replays. It also keeps the dead letters, because a replay changes both at once. */
export function replays(env: Pick<Env, "ARCHIVE">) {
  const namespace = env.ARCHIVE as DurableObjectNamespace<ReplayCalls & Rpc.DurableObjectBranded>;
  return namespace.getByName("archive");
}
