/** Shares the one alarm of a Durable Object among several tasks, each with its own time. */

/** First wait before a failed call is repeated; it doubles up to the largest wait. Our choice. */
const RETRY_FIRST_MS = 5_000;
const RETRY_MAX_MS = 600_000;
/** The platform has given up an alarm this late; it tries an alarm seven times. Our choice. */
const LATE_MS = 60_000;

interface AgendaPorts {
  readonly now: () => number;
  readonly setAlarm: (atMs: number) => Promise<void>;
  /** When something is due; undefined if nothing is. */
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

  /** Earliest time of the next try after a failure; 0 if there was none. */
  retryMs(task: Task): number {
    return this.#retries.get(task)?.atMs ?? 0;
  }

  /** Notes a failure: the task is due again after a wait that doubles. */
  failed(task: Task): void {
    const failures = this.#retries.get(task)?.failures ?? 0;
    const atMs = this.#ports.now() + Math.min(RETRY_FIRST_MS * 2 ** failures, RETRY_MAX_MS);
    this.#retries.set(task, { failures: failures + 1, atMs });
  }

  succeeded(task: Task): void {
    this.#retries.delete(task);
  }

  /** Sets the alarm to the next due task, if there is one. */
  async arm(): Promise<void> {
    const dueMs = this.#ports.dueMs();
    if (dueMs === undefined) return;
    const wantedMs = Math.max(dueMs, this.#ports.now());
    if (this.#alarmMs !== null && this.#alarmMs <= wantedMs) return;
    this.#alarmMs = wantedMs;
    await this.#ports.setAlarm(wantedMs);
  }

  /** Sets the alarm a few seconds ahead while a task runs, so that the alarm repeats it if it is interrupted. */
  guard(task: Task): Promise<void> {
    const { failures = 0, atMs = 0 } = this.#retries.get(task) ?? {};
    this.#retries.set(task, { failures, atMs: Math.max(atMs, this.#ports.now() + RETRY_FIRST_MS) });
    return this.arm();
  }

  /** The alarm has rung, so another one must be set. */
  rang(): void {
    this.#alarmMs = null;
  }

  /** Restores an alarm that the platform has given up. Costs nothing while the alarm is on time. */
  async look(): Promise<void> {
    if (this.#alarmMs !== null && this.#ports.now() - this.#alarmMs < LATE_MS) return;
    this.#alarmMs = null;
    await this.arm();
  }
}
