/** Refused calls over time: when they become an incident. Pure but for its memory, which a restart may lose. */

/** So many calls that look like QStash's, refused within this time, are an incident, and its quiet end. Our choice. */
const DELIVERIES = { count: 3, withinMs: 600_000 };
/** So many wrong tokens on routes of operators. Our choice. */
const TOKENS = { count: 20, withinMs: 60_000 };

/** What an isolate has refused since it last said so. */
export interface RefusalReport {
  /** By route and reason, such as `/deliver key`. */
  readonly counts: Readonly<Record<string, number>>;
  /** Reasons of those that look like QStash's, oldest first. */
  readonly deliveries: readonly string[];
  readonly wrongTokens: number;
}

/** What is an incident now; a detail names the reason. */
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

/** The newest of them within the time, no more than are needed. */
function recent(
  before: readonly Refused[],
  reasons: readonly string[],
  { count, withinMs }: { readonly count: number; readonly withinMs: number },
  nowMs: number,
): readonly Refused[] {
  const all = [...before, ...reasons.map((reason) => ({ atMs: nowMs, reason }))];
  return all.filter(({ atMs }) => nowMs - atMs < withinMs).slice(-count);
}
