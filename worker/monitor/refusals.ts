/** Refused calls over time: when they become an incident. Pure except for its memory, which a restart may lose. */

/**
 * An incident opens after this many refused calls that look like QStash's within this time, and closes after as long without one.
 * Our choice.
 */
const DELIVERIES = { count: 3, withinMs: 600_000 };
/** An incident opens after this many wrong tokens on operator routes. Our choice. */
const TOKENS = { count: 20, withinMs: 60_000 };

/** What an isolate has refused since its last report. */
export interface RefusalReport {
  /** By route and reason, such as `/deliver key`. */
  readonly counts: Readonly<Record<string, number>>;
  /** Reasons of the calls that look like QStash's, oldest first. */
  readonly deliveries: readonly string[];
  readonly wrongTokens: number;
}

/** The current incidents; a detail names the reason. */
interface RefusalIncidents {
  readonly deliveries?: string;
  readonly requests?: string;
}

interface Refused {
  readonly atMs: number;
  readonly reason: string;
}

export class Refusals {
  #deliveries: readonly Refused[] = [];
  #tokens: readonly Refused[] = [];

  note({ deliveries, wrongTokens }: Omit<RefusalReport, "counts">, nowMs: number): RefusalIncidents {
    const tokens = Array.from({ length: Math.min(wrongTokens, TOKENS.count) }, () => "token");
    this.#deliveries = recent(this.#deliveries, deliveries, DELIVERIES, nowMs);
    this.#tokens = recent(this.#tokens, tokens, TOKENS, nowMs);
    const reasons = [...new Set(this.#deliveries.map(({ reason }) => reason))].join(", ");
    return {
      ...(deliveries.length > 0 && this.#deliveries.length >= DELIVERIES.count
        ? { deliveries: `calls of QStash are refused: ${reasons}` }
        : {}),
      ...(wrongTokens > 0 && this.#tokens.length >= TOKENS.count
        ? { requests: `${TOKENS.count} requests within a minute had a wrong token` }
        : {}),
    };
  }
}

/** Keeps the newest ones within the time, as many as needed. */
function recent(
  before: readonly Refused[],
  reasons: readonly string[],
  { count, withinMs }: { readonly count: number; readonly withinMs: number },
  nowMs: number,
): readonly Refused[] {
  const all = [...before, ...reasons.map((reason) => ({ atMs: nowMs, reason }))];
  return all.filter(({ atMs }) => nowMs - atMs < withinMs).slice(-count);
}
