/** What the cron found out in its rounds, and which policies send records, kept for `/health` and `/metrics`. */

const NOTE = "rounds";
/** A policy that was seen again so soon is not stored again. Our choice. */
const SEEN_AGAIN_MS = 3_600_000;
/** A policy that has sent nothing for so long is gone. Our choice. */
const GONE_MS = 86_400_000;

/** Entries of QStash's dead-letter queue with our label and a foreign URL. */
interface ForeignMessages {
  readonly url: string;
  readonly count: number;
}

export interface Rounds {
  /** When the worker was set up, so that it has missed no round before its first one. */
  readonly sinceMs: number;
  readonly lastMs: number | null;
  /** The newest sweep that QStash answered. */
  readonly lastSweepMs: number | null;
  /** Consecutive failed sweeps. */
  readonly failedSweeps: number;
  readonly foreign: readonly ForeignMessages[];
  /** Messages that wait under our flow-control keys, as of the newest round. */
  readonly waitingMessages: number;
  /** When a record of each version of the policy came last, to the hour. */
  readonly policies: Readonly<Record<string, number>>;
}

/** The results of one round. */
export interface Round {
  readonly isSwept: boolean;
  /** Absent if the sweep did not read the whole queue. */
  readonly foreign?: readonly ForeignMessages[] | undefined;
}

interface RoundStore {
  get(key: string): unknown;
  put(key: string, value: object): void;
}

export class RoundLog {
  readonly #store: RoundStore;
  #rounds: Rounds;

  constructor(store: RoundStore, nowMs: number) {
    this.#store = store;
    const known = store.get(NOTE) as Rounds | undefined;
    const first = { lastMs: null, lastSweepMs: null, failedSweeps: 0, foreign: [], waitingMessages: 0, policies: {} };
    this.#rounds = { ...first, sinceMs: nowMs, ...known };
    if (!known) this.#store.put(NOTE, this.#rounds);
  }

  get rounds(): Rounds {
    return this.#rounds;
  }

  add({ isSwept, foreign }: Round, nowMs: number): Rounds {
    const { lastSweepMs, failedSweeps } = this.#rounds;
    this.#keep({
      lastMs: nowMs,
      lastSweepMs: isSwept ? nowMs : lastSweepMs,
      failedSweeps: isSwept ? 0 : failedSweeps + 1,
      ...(foreign === undefined ? {} : { foreign }),
    });
    return this.#rounds;
  }

  set waitingMessages(waitingMessages: number) {
    this.#keep({ waitingMessages });
  }

  /** Notes which versions of the policy have sent records. */
  seen(versions: readonly string[], nowMs: number): void {
    const { policies } = this.#rounds;
    if (versions.every((version) => nowMs - (policies[version] ?? 0) < SEEN_AGAIN_MS)) return;
    const kept = Object.entries(policies).filter(([, atMs]) => nowMs - atMs < GONE_MS);
    this.#keep({ policies: Object.fromEntries([...kept, ...versions.map((version) => [version, nowMs] as const)]) });
  }

  #keep(change: Partial<Rounds>): void {
    this.#rounds = { ...this.#rounds, ...change };
    this.#store.put(NOTE, this.#rounds);
  }
}
