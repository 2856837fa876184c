/** A fixed window per key, as docs/reference/rate-limits describes the limit: a number of requests in a number of seconds. */
import type { Clock } from "./clock.ts";
import type { Knobs } from "./types.ts";

export class RateLimit {
  readonly #clock: Clock;
  readonly #windows = new Map<string, { startMs: number; used: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one request; true if it exceeds the limit. */
  exceeded(key: string, limit: Knobs["rateLimit"]): boolean {
    if (!limit) return false;
    const now = this.#clock.now();
    let window = this.#windows.get(key);
    if (!window || now - window.startMs >= limit.windowMs) {
      window = { startMs: now, used: 0 };
      this.#windows.set(key, window);
    }
    window.used += 1;
    return window.used > limit.requests;
  }

  reset(): void {
    this.#windows.clear();
  }
}
