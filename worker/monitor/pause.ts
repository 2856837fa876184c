/** Why delivery is paused, and since when. */
export interface Pause {
  readonly reason: string;
  /** `breaker`: WorkOS is down, and probes go out. Only an operator ends the others. */
  readonly by: "breaker" | "credential" | "operator";
  /** The name of the operator who paused it through the API. */
  readonly operator?: string;
  readonly sinceMs: number;
  /** QStash holds back all our messages. */
  readonly confirmed: boolean;
  /** The flow-control key configured at that time. */
  readonly key?: string;
}

/** Returns true if `by` may replace a pause: an operator and a refused credential outrank the breaker. */
export function outranks(by: Pause["by"], known: Pause): boolean {
  return known.by === "breaker" && by !== "breaker";
}

/** The answer to a delivery before it sends. */
export interface Turn {
  readonly pause: Pause | null;
  /** How long its events wait for their turn; if that is longer than the delivery can wait, they must not be sent. */
  readonly waitMs: number;
  /** True after recent failures: report the results of all attempts at once. */
  readonly isWatched: boolean;
  /** Tokens for the next events of the caller, of those that it wanted; a monitor of the previous release lends none. */
  readonly lent?: number;
}
