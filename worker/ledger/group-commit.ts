/** Runs calls that arrive within a moment in one turn, so that a Durable Object commits once for all of them. */

interface Waiting {
  readonly run: () => void;
}

export class GroupCommit {
  readonly #waitMs: number;
  #waiting: Waiting[] = [];

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** Resolves with what `work` returns, or rejects with what it throws; runs in order of the calls. */
  do<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const run = () => {
        try {
          resolve(work());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      this.#waiting.push({ run });
      if (this.#waiting.length === 1) setTimeout(() => this.#runAll(), this.#waitMs);
    });
  }

  #runAll(): void {
    const due = this.#waiting;
    this.#waiting = [];
    for (const { run } of due) run();
  }
}
