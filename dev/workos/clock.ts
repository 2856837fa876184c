/** Reads the time, in ms since the epoch. */
export interface Clock {
  now(): number;
}

/** A clock that follows another one at a distance that tests can change. */
export class MovableClock implements Clock {
  readonly #base: Clock;
  #offsetMs = 0;

  constructor(base: Clock = { now: () => Date.now() }) {
    this.#base = base;
  }

  now(): number {
    return this.#base.now() + this.#offsetMs;
  }

  /** Moves the clock by `ms`, back when negative. */
  advance(ms: number): void {
    this.#offsetMs += ms;
  }

  reset(): void {
    this.#offsetMs = 0;
  }

  /** The time as WorkOS writes it: RFC 3339 with milliseconds. */
  iso(): string {
    return new Date(this.now()).toISOString();
  }
}
