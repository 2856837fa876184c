/** The queue's clock: `now()` decides what is due, and `wakeAt` calls back at a time. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `run` once when `now()` has reached `at`; returns a function that cancels it. */
  wakeAt(at: number, run: () => void): () => void;
}

/** A clock that can also be moved forward; everything that became due meanwhile runs at once. */
export interface MovableClock extends Clock {
  /** Milliseconds, not negative. */
  advance(ms: number): void;
}

// setTimeout fires at once for longer waits, so a longer wait is set in steps.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Waiter {
  at: number;
  run: () => void;
  timer?: NodeJS.Timeout;
}

/**
 * Makes a clock that starts at `start` (default: now) and runs in real time, or stands still when `frozen`;
 * either way `advance` moves it.
 */
export function createMovableClock(options: { start?: number; frozen?: boolean } = {}): MovableClock {
  const frozen = options.frozen ?? false;
  const waiters = new Set<Waiter>();
  let offset = options.start === undefined ? 0 : options.start - Date.now();
  let standing = options.start ?? Date.now();
  const now = (): number => (frozen ? standing : Date.now() + offset);

  function arm(waiter: Waiter): void {
    clearTimeout(waiter.timer);
    if (frozen) return;
    const wait = Math.min(Math.max(waiter.at - now(), 0), LONGEST_TIMER_MS);
    waiter.timer = setTimeout(() => fireOrArm(waiter), wait);
    waiter.timer.unref();
  }
  function fireOrArm(waiter: Waiter): void {
    if (waiter.at > now()) return arm(waiter);
    clearTimeout(waiter.timer);
    if (waiters.delete(waiter)) waiter.run();
  }

  return {
    now,
    wakeAt(at, run) {
      const waiter: Waiter = { at, run };
      waiters.add(waiter);
      arm(waiter);
      return () => {
        clearTimeout(waiter.timer);
        waiters.delete(waiter);
      };
    },
    advance(ms) {
      if (!Number.isFinite(ms) || ms < 0) throw new RangeError('"ms" must be a number of milliseconds, not negative');
      offset += ms;
      standing += ms;
      for (const waiter of waiters) fireOrArm(waiter);
    },
  };
}
