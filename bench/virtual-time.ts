/** A clock that jumps from event to event, so that minutes of a system run in a moment and always in the same order. */

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

export class VirtualTime {
  #nowMs: number;
  /** Sorted, the next one last. */
  readonly #timers: Timer[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  readonly now = (): number => this.#nowMs;

  /** Calls back once at a time; the answer cancels it. Of equal times the one set first comes first. */
  readonly at = (atMs: number, callback: () => void): (() => void) => {
    const timer = { atMs: Math.max(atMs, this.#nowMs), callback };
    let [low, high] = [0, this.#timers.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#timers[middle]?.atMs ?? 0) > timer.atMs) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  };

  readonly after = (ms: number, callback: () => void): (() => void) => this.at(this.#nowMs + ms, callback);

  /** Jumps from timer to timer until none is left or the end is reached; lets the work in between settle. */
  async run(untilMs = Infinity, quiet: () => Promise<void> = settled): Promise<void> {
    for (;;) {
      await quiet();
      const next = this.#timers.at(-1);
      if (!next || next.atMs > untilMs) return;
      this.#timers.pop();
      this.#nowMs = next.atMs;
      next.callback();
    }
  }
}

/** Resolves once all promises that need nothing from outside have settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
