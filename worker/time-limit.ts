/**
 * A time limit for several pieces of work, with one timer for all of them: a signal per request would cost more CPU than any other
 * part of a delivery except the request itself.
 */

interface Open {
  readonly dueMs: number;
  readonly expire: () => void;
}

export class TimeLimit {
  readonly #limitMs: number;
  readonly #now: () => number;
  /** In order of their deadlines, because all have the same limit. */
  readonly #open = new Set<Open>();
  #isArmed = false;

  constructor(limitMs: number, now: () => number) {
    this.#limitMs = limitMs;
    this.#now = now;
  }

  /**
   * Resolves with the result of `work`, or with `late` if it takes longer than the limit. Late work is not stopped: a Worker's
   * requests end with the invocation that made them, so do not wait much longer for other work.
   */
  within<T>(work: Promise<T>, late: T): Promise<T> {
    return new Promise((resolve, reject) => {
      const open: Open = { dueMs: this.#now() + this.#limitMs, expire: () => resolve(late) };
      this.#open.add(open);
      if (!this.#isArmed) this.#arm(this.#limitMs);
      work.then(
        (value) => {
          this.#open.delete(open);
          return resolve(value);
        },
        (error: unknown) => {
          this.#open.delete(open);
          return reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  #arm(waitMs: number): void {
    this.#isArmed = true;
    setTimeout(() => this.#ring(), waitMs);
  }

  #ring(): void {
    this.#isArmed = false;
    const nowMs = this.#now();
    for (const open of this.#open) {
      if (open.dueMs > nowMs) return this.#arm(open.dueMs - nowMs);
      this.#open.delete(open);
      open.expire();
    }
  }
}
