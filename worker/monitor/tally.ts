/** What the monitor has counted since the worker was set up, for `/metrics`. */
import type { Numbers } from "../numbers.ts";

const NOTE = "tally";

/** Where the numbers are kept. */
interface TallyStore {
  get(key: string): unknown;
  put(key: string, value: object): void;
}

export class Tally {
  readonly #store: TallyStore;
  readonly #numbers: Record<string, number>;

  constructor(store: TallyStore) {
    this.#store = store;
    this.#numbers = { ...(store.get(NOTE) as Numbers | undefined) };
  }

  /** Counts and stores, with one row written. */
  add(counts: Numbers): void {
    for (const [name, count] of Object.entries(counts)) this.#numbers[name] = (this.#numbers[name] ?? 0) + count;
    this.#store.put(NOTE, this.#numbers);
  }

  numbers(): Numbers {
    return { ...this.#numbers };
  }
}
