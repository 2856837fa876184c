/** Why delivery is paused, and since when. */
export interface Pause {
  readonly reason: string;
  /** `breaker`: WorkOS is down, and probes go out. Only an operator ends the others. */
  readonly by: "breaker" | "credential" | "operator";
  /** The name of the operator who paused it through the API. */
  readonly operator?: string;
  readonly sinceMs: number;
  /** QStash holds back every message of ours. */
  readonly confirmed: boolean;
  /** The flow-control key that was configured then. */
  readonly key?: string;
}

/** Returns true where `by` may take the place of a pause: a person and a refused credential outrank the breaker. */
export function outranks(by: Pause["by"], known: Pause): boolean {
  return known.by === "breaker" && by !== "breaker";
}

/** What a delivery is told before it sends. */
export interface Turn {
  readonly pause: Pause | null;
  /** How long its events wait for their turn; they may not be sent where this is longer than it can wait. */
  readonly waitMs: number;
  /** Failures came lately: the ends of all attempts must be reported at once. */
  readonly isWatched: boolean;
}
