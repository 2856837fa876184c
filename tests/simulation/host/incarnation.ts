/**
 * An incarnation: one life of an isolate, of a Durable Object or of one request in an isolate. Killing it drops whatever it waits
 * for: its promises never settle, so that nothing it would have done afterwards happens.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** `ended`: its time was over, as after a response. */
type Death = "killed" | "ended";

export class Incarnation {
  readonly name: string;
  /** How far its clock is ahead of the true time. */
  readonly skewMs: number;
  readonly #parent: Incarnation | undefined;
  readonly #lastWords = new Set<() => void>();
  #death: Death | undefined;

  constructor(name: string, skewMs: number, parent?: Incarnation) {
    this.name = name;
    this.skewMs = skewMs;
    this.#parent = parent;
    parent?.onDeath(() => this.kill());
  }

  get isAlive(): boolean {
    return this.#death === undefined && (this.#parent?.isAlive ?? true);
  }

  get death(): Death | undefined {
    return this.#death;
  }

  /** What others see when it dies, such as a broken connection; the answer takes it back. */
  onDeath(listener: () => void): () => void {
    this.#lastWords.add(listener);
    return () => this.#lastWords.delete(listener);
  }

  kill(death: Death = "killed"): void {
    if (this.#death) return;
    this.#death = death;
    const listeners = [...this.#lastWords];
    this.#lastWords.clear();
    for (const listener of listeners) listener();
  }

  /** The isolate itself, where this is one request in it. */
  get root(): Incarnation {
    return this.#parent?.root ?? this;
  }
}

const running = new AsyncLocalStorage<Incarnation>();

/** Whose code runs right now; undefined outside the simulated world. */
export function current(): Incarnation | undefined {
  return running.getStore();
}

export function runIn<T>(incarnation: Incarnation, run: () => T): T {
  return running.run(incarnation, run);
}

/** A wait of the running incarnation: settles only while that lives. */
export function waiting<T>(start: (done: (value: T) => void, fail: (error: unknown) => void) => void): Promise<T> {
  const owner = current();
  return new Promise((resolve, reject) => {
    start(
      (value) => {
        if (owner?.isAlive ?? true) resolve(value);
      },
      (error) => {
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- whatever the other side failed with
        if (owner?.isAlive ?? true) reject(error);
      },
    );
  });
}

/** Runs another incarnation's code and tells the caller how it ended, its death included. */
export async function callInto<T>(
  incarnation: Incarnation,
  run: () => T | Promise<T>,
  done: (value: T) => void,
  fail: (error: unknown) => void,
): Promise<void> {
  const broken = () => fail(new TypeError("connection lost"));
  if (!incarnation.isAlive) return broken();
  const silence = incarnation.onDeath(broken);
  let value: T;
  try {
    value = await runIn(incarnation, async () => run());
  } catch (error) {
    silence();
    return fail(error);
  }
  silence();
  done(value);
}
