/** Answers that the contract in `shared/` does not describe: `/health`, groups, and pages. */
import type { DeadLetterAnswer, IncidentAnswer } from "../../shared/api.ts";
import type { EventAnswer } from "../../shared/event-answers.ts";
import type { ReplayAnswer, ReplayItemAnswer } from "../../shared/replay-answers.ts";

export interface Pause {
  readonly reason: string;
  readonly by: "operator" | "credential" | "breaker";
  readonly since: string;
  readonly confirmed_by_queue: boolean;
  readonly next_probe_at?: string;
}

/** An open incident, as `/health` lists it. */
export type OpenIncident = Pick<IncidentAnswer, "kind" | "detail" | "since">;

export interface Health {
  readonly status: "ok" | "paused" | "degraded";
  readonly paused: boolean;
  readonly pause?: Pause;
  readonly outbox: { readonly waiting: number; readonly oldest_at: string | null; readonly failure: string | null };
  readonly cron: { readonly last_at: string | null; readonly last_sweep_at: string | null };
  readonly incidents: readonly OpenIncident[];
  /** `detail` says what a waiting record waits for. */
  readonly evidence: { readonly state: "off" | "waiting" | "on"; readonly detail?: string };
}

export interface DeadLetterPage {
  readonly dead_letters: readonly DeadLetterAnswer[];
  readonly cursor?: string;
}

export interface Groups {
  readonly group_by: string;
  readonly groups: readonly {
    readonly value: string | number | null;
    readonly count: number;
    readonly oldest_parked_at: string;
    readonly newest_parked_at: string;
  }[];
  readonly total: number;
}

export interface FoundEvents {
  readonly events: readonly EventAnswer[];
  readonly searched: { readonly since: string; readonly until: string };
  /** Present if more records have the request id. */
  readonly cursor?: string;
}

export interface ReplayPage {
  readonly replays: readonly ReplayAnswer[];
  readonly cursor?: string;
}

export interface ReplayItems {
  readonly items: readonly ReplayItemAnswer[];
  readonly cursor?: string;
}
