/** Counters and histograms of one ledger shard for `/metrics`; plain numbers that can be summed over shards. */
import type { Numbers } from "../numbers.ts";
import type { Grant, LedgerAttempt } from "./types.ts";

/** Upper bounds of the buckets, in seconds. */
export const LATENCY_BUCKETS_S = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];
export const AGE_BUCKETS_S = [1, 5, 15, 60, 300, 1_800, 7_200, 43_200, 86_400];

export class Counters {
  readonly #numbers: Record<string, number>;

  constructor(json: string | undefined) {
    this.#numbers = json === undefined ? {} : (JSON.parse(json) as Record<string, number>);
  }

  /** An event id was claimed for the first time. */
  seen(): void {
    this.#add("seen");
  }

  /** The late outcome of an event was claimed for the first time. */
  late(): void {
    this.#add("late");
  }

  claimed(grant: Grant): void {
    if (grant.kind === "skip") this.#add(grant.why === "superseded" ? "superseded" : "duplicates");
    if (grant.kind === "expired") this.#add("expired");
    if (grant.kind === "leased") this.#add("leased");
  }

  settled(attempt: LedgerAttempt, occurredMs: number, nowMs: number): void {
    this.#add(attempt.outcome);
    if (attempt.wrote === "maybe") this.#add("ambiguous");
    this.#observe("latency", LATENCY_BUCKETS_S, attempt.durationMs / 1000);
    if (attempt.outcome === "delivered") this.#observe("age", AGE_BUCKETS_S, Math.max(nowMs - occurredMs, 0) / 1000);
  }

  numbers(): Numbers {
    return { ...this.#numbers };
  }

  toJson(): string {
    return JSON.stringify(this.#numbers);
  }

  #observe(name: string, bounds: readonly number[], value: number): void {
    const bound = bounds.find((upper) => value <= upper) ?? "inf";
    this.#add(`${name}_le_${bound}`);
    this.#add(`${name}_sum`, value);
  }

  #add(name: string, by = 1): void {
    this.#numbers[name] = (this.#numbers[name] ?? 0) + by;
  }
}
