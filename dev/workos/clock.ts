/** Reads the time, in ms since the epoch. */
export interface Clock {
  now(): number;
}

/** A clock that follows another one with an offset that tests can change. */
export class MovableClock implements Clock {
  readonly #base: Clock;
  #offsetMs = 0;

  constructor(base: Clock = { now: () => Date.now() }) {
    this.#base = base;
  }

  now(): number {
    return this.#base.now() + this.#offsetMs;
  }

  /** Moves the clock by `ms`; negative values move it back. */
  advance(ms: number): void {
    this.#offsetMs += ms;
  }

  reset(): void {
    this.#offsetMs = 0;
  }

  /** Formats the time as WorkOS does: RFC 3339 with milliseconds. */
  iso(): string {
    return new Date(this.now()).toISOString();
  }
}
