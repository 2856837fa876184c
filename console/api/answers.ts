/** The worker's answers, as docs/api.md describes them. */

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
}

export interface Metrics {
  readonly step_seconds: number;
  /** By name: pairs of Unix seconds and a value. */
  readonly series: Readonly<Record<string, readonly (readonly [number, number | null])[]>>;
}
