/**
 * Tokens of the bucket that an isolate holds for its next deliveries, so that steady traffic asks the monitor once for many messages.
 * Nothing is held while delivery is paused or WorkOS has just failed.
 */
import type { Turn } from "./pause.ts";

/** Longest use of held tokens: an isolate may notice a pause, or failures that others saw, this much later. Our choice. */
const USE_MS = 250;
/** Unused tokens go back to the bucket within this time, and are lost after it: `lend` counts on that. */
export const HOLD_MS = 2 * USE_MS;
/** The events of `USE_MS` at the highest `AUDIT_RATE`. */
export const HELD_MAX = 25;
/** A delivery names its shards again after this time, much sooner than the monitor forgets them. Our choice. */
const NAMED_MS = 60_000;

/** What one call to the monitor brings. */
interface Hold {
  readonly sinceMs: number;
  /** Undefined until the monitor answers. */
  tokens: number | undefined;
  /** Events admitted since then: the next call wants as many tokens. */
  events: number;
}

/** The turn of events whose tokens are held. */
const AT_ONCE: Turn = { pause: null, waitMs: 0, isWatched: false };

export class HeldTokens {
  #hold: Hold | undefined;
  readonly #namedMs = new Map<number, number>();

  /**
   * Returns the turn of `count` events of these shards: at once if it holds their tokens, otherwise from the monitor, which `ask`
   * calls for as many tokens as are `wanted` for the next events, with those that come back. Traffic that has only begun wants none.
   */
  async turn(
    count: number,
    shards: readonly number[],
    nowMs: number,
    ask: (wanted: number, unused: number) => Promise<Turn>,
  ): Promise<Turn> {
    if (this.#take(count, shards, nowMs)) return AT_ONCE;
    const last = this.#within(HOLD_MS, nowMs);
    const hold: Hold = { sinceMs: nowMs, tokens: undefined, events: count };
    // One call at a time wants tokens.
    const isAsking = last && last.tokens === undefined;
    if (isAsking) last.events += count;
    else this.#hold = hold;
    try {
      const turn = await ask(isAsking ? 0 : Math.min(last?.events ?? 0, HELD_MAX), last?.tokens ?? 0);
      hold.tokens = turn.lent;
      for (const shard of shards) this.#namedMs.set(shard, nowMs);
      return turn;
    } finally {
      hold.tokens ??= 0;
    }
  }

  /** Gives up what is held, and what a call under way still brings. */
  drop(): void {
    this.#hold = undefined;
  }

  #take(count: number, shards: readonly number[], nowMs: number): boolean {
    const hold = this.#within(USE_MS, nowMs);
    const isNamed = (shard: number) => nowMs - (this.#namedMs.get(shard) ?? 0) < NAMED_MS;
    if (count === 0 || !hold?.tokens || count > hold.tokens || !shards.every(isNamed)) return false;
    hold.tokens -= count;
    hold.events += count;
    return true;
  }

  /** The last call, unless it was longer ago or the clock has gone back. */
  #within(spanMs: number, nowMs: number): Hold | undefined {
    const agoMs = nowMs - (this.#hold?.sinceMs ?? 0);
    return agoMs >= 0 && agoMs < spanMs ? this.#hold : undefined;
  }
}
