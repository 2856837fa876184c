/** The token bucket of the whole worker, kept in memory: a write for each message would cost more than the message. */
import { admit, emptyBucket, fillMs, fullBucket, lend, type Bucket } from "./token-bucket.ts";

/** While deliveries go on, the time of the newest one is written this often. Our choice. */
const NOTE_EVERY_MS = 5_000;
const NOTE = "paced_until";

/** What the pace stores across a restart. */
interface NoteStore {
  get(key: string): unknown;
  put(key: string, value: number): void;
}

export class Pace {
  readonly #notes: NoteStore;
  #bucket: Bucket | undefined;
  #notedMs = 0;

  constructor(notes: NoteStore) {
    this.#notes = notes;
  }

  /**
   * Takes tokens for this many events; returns how long they wait for their turn, in ms. Takes nothing if that is longer than
   * `longestWaitMs`. `unused` tokens come back first.
   */
  take(count: number, ratePerSecond: number, longestWaitMs: number, nowMs: number, unused = 0): number {
    const before = this.#bucket ?? this.#first(ratePerSecond, nowMs);
    const { bucket, waitMs } = admit(before, count, ratePerSecond, nowMs, unused);
    if (waitMs > longestWaitMs) return waitMs;
    this.#bucket = bucket;
    const untilMs = nowMs + waitMs;
    if (Math.abs(untilMs - this.#notedMs) >= NOTE_EVERY_MS) {
      this.#notedMs = untilMs;
      this.#notes.put(NOTE, untilMs);
    }
    return waitMs;
  }

  /** Returns how many of the `wanted` tokens the caller may hold for `HOLD_MS`. */
  lend(wanted: number, ratePerSecond: number): number {
    const left = wanted > 0 && this.#bucket && lend(this.#bucket, wanted, ratePerSecond);
    if (!left) return 0;
    this.#bucket = left;
    return wanted;
  }

  /** After a restart, the bucket is full only if nothing can have been sent for as long as it takes to fill. */
  #first(ratePerSecond: number, nowMs: number): Bucket {
    const noted = this.#notes.get(NOTE);
    const isIdle = typeof noted !== "number" || nowMs - noted > NOTE_EVERY_MS + fillMs(ratePerSecond);
    return isIdle ? fullBucket(nowMs) : emptyBucket(nowMs);
  }
}
