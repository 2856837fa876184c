/** The one alarm of a Durable Object that has several things to do, each at its time. */

/** First wait before a call that failed is made again; it doubles up to the largest. Our choice. */
const RETRY_FIRST_MS = 5_000;
const RETRY_MAX_MS = 600_000;
/** An alarm this late was given up by the platform, which tries one seven times. Our choice. */
const LATE_MS = 60_000;

interface AgendaPorts {
  readonly now: () => number;
  readonly setAlarm: (atMs: number) => Promise<void>;
  /** When something is due; undefined where nothing is. */
  readonly dueMs: () => number | undefined;
}

/** How often something failed in a row, and when it is due again. */
interface Retry {
  readonly failures: number;
  readonly atMs: number;
}

export class Agenda<Task extends string> {
  readonly #ports: AgendaPorts;
  readonly #retries = new Map<Task, Retry>();
  #alarmMs: number | null = null;

  constructor(ports: AgendaPorts) {
    this.#ports = ports;
  }

  /** Not before then is the task tried again if it failed; 0 where it did not. */
  retryMs(task: Task): number {
    return this.#retries.get(task)?.atMs ?? 0;
  }

  /** The task failed: it is due again after a wait that doubles. */
  failed(task: Task): void {
    const failures = this.#retries.get(task)?.failures ?? 0;
    const atMs = this.#ports.now() + Math.min(RETRY_FIRST_MS * 2 ** failures, RETRY_MAX_MS);
    this.#retries.set(task, { failures: failures + 1, atMs });
  }

  succeeded(task: Task): void {
    this.#retries.delete(task);
  }

  /** Sets the alarm to what is due next, if anything is. */
  async arm(): Promise<void> {
    const dueMs = this.#ports.dueMs();
    if (dueMs === undefined) return;
    const wantedMs = Math.max(dueMs, this.#ports.now());
    if (this.#alarmMs !== null && this.#alarmMs <= wantedMs) return;
    this.#alarmMs = wantedMs;
    await this.#ports.setAlarm(wantedMs);
  }

  /** Sets the alarm some seconds ahead, for a task that is being done right now: if that is cut off, the alarm does it. */
  guard(task: Task): Promise<void> {
    const { failures = 0, atMs = 0 } = this.#retries.get(task) ?? {};
    this.#retries.set(task, { failures, atMs: Math.max(atMs, this.#ports.now() + RETRY_FIRST_MS) });
    return this.arm();
  }

  /** The alarm has rung, and another must be set. */
  rang(): void {
    this.#alarmMs = null;
  }

  /** Sets an alarm again that the platform has given up. Costs nothing while it is not late. */
  async look(): Promise<void> {
    if (this.#alarmMs !== null && this.#ports.now() - this.#alarmMs < LATE_MS) return;
    this.#alarmMs = null;
    await this.arm();
  }
}
