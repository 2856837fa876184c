/** The worker's answers, as docs/api.md describes them. */
import type { DeadLetterAnswer, ReplayOutcome, ReplayState } from "../../shared/api.ts";
import type { DeadLetterClass, DeadLetterState } from "../../shared/dead-letter.ts";

export interface Pause {
  readonly reason: string;
  readonly by: "operator" | "credential" | "breaker";
  readonly since: string;
  readonly confirmed_by_queue: boolean;
  readonly next_probe_at?: string;
}

export interface OpenIncident {
  readonly kind: string;
  readonly detail: string;
  readonly since: string;
}

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

/** A dead letter with its record and its earlier failures. */
export interface WholeDeadLetter extends DeadLetterAnswer {
  readonly message_id?: string;
  readonly mended?: readonly string[];
  /** Paths of the values that stay hidden until someone reveals them. */
  readonly hidden: readonly string[];
  readonly record?: Readonly<Record<string, unknown>>;
  readonly body_bytes?: number;
  /** Base64; only if revealed. */
  readonly body?: string;
  readonly history: readonly {
    readonly class: DeadLetterClass;
    readonly reason: string;
    readonly status?: number;
    readonly attempts: number;
    readonly parked_at: string;
    readonly replay_id?: string;
  }[];
}

/** The history of a record, as `GET /api/events/:event_id` returns it. */
export interface Fate {
  readonly event_id: string;
  readonly state: "pending" | "delivered" | "dead_letter" | "discarded" | "unknown";
  readonly where?: "queue" | "workos" | "archive" | "outbox";
  readonly occurred_at?: string;
  readonly request_id?: string;
  readonly in_flight?: boolean;
  readonly replays?: number;
  readonly corrects?: string;
  readonly late_outcome?: string;
  readonly attempts: readonly {
    readonly n: number;
    readonly at: string;
    readonly duration_ms?: number;
    readonly outcome: string;
    readonly wrote?: "no" | "maybe" | "yes";
    readonly status?: number;
    readonly reason?: string;
  }[];
  readonly dead_letter?: { readonly state: DeadLetterState; readonly reason: string; readonly parked_at: string };
}

export interface FoundEvents {
  readonly events: readonly Fate[];
  readonly searched: { readonly since: string; readonly until: string };
  /** Present if more records have the request id. */
  readonly cursor?: string;
}

type Counts = Readonly<Record<string, number>>;

export interface Plan {
  /** Absent if there is nothing to send. */
  readonly id?: string;
  readonly send: number;
  readonly skip: number;
  readonly skip_reasons: Counts;
  readonly by_class: Counts;
  readonly by_action: Counts;
  readonly by_organization: Counts;
  readonly duplicates_possible: number;
  readonly needs_accept_duplicates: boolean;
  readonly rate: number;
  readonly seconds: number;
  readonly mend?: {
    readonly changed: number;
    readonly unchanged: number;
    readonly sample: readonly {
      readonly event_id: string;
      readonly changes: readonly { readonly field: string; readonly from: unknown; readonly to: unknown }[];
    }[];
  };
}

export interface Replay {
  readonly id: string;
  readonly state: ReplayState;
  readonly name?: string;
  readonly by: string;
  readonly created_at: string;
  readonly finished_at?: string;
  readonly rate: number;
  readonly accept_duplicates: boolean;
  readonly mend?: Readonly<Record<string, unknown>>;
  readonly progress: {
    readonly total: number;
    readonly published: number;
    readonly delivered: number;
    readonly failed_again: number;
    readonly skipped: number;
  };
  readonly problem?: string;
  readonly receipt?: Readonly<Record<string, unknown>>;
}

export interface ReplayPage {
  readonly replays: readonly Replay[];
  readonly cursor?: string;
}

export interface ReplayItems {
  readonly items: readonly {
    readonly event_id: string;
    readonly n: number;
    readonly outcome: ReplayOutcome;
    readonly reason?: string;
    readonly ended_at?: string;
  }[];
  readonly cursor?: string;
}
