/** Stored answers by idempotency key, as docs/reference/idempotency of WorkOS describes them. */
import { hash } from "node:crypto";
import type { Answer } from "./answers.ts";
import type { Clock } from "./clock.ts";

/** After 24 h "the API will generate a new response" for the same key (published description, POST /audit_logs/events). */
const WINDOW_MS = 24 * 3_600_000;

export interface KeptAnswer {
  readonly key: string;
  readonly body_hash: string;
  readonly answer: Answer;
  readonly expires_at_ms: number;
}

export class IdempotencyStore {
  readonly #clock: Clock;
  readonly #kept = new Map<string, KeptAnswer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the answer that is still stored for a key. */
  find(key: string): KeptAnswer | undefined {
    const kept = this.#kept.get(key);
    if (!kept) return undefined;
    if (kept.expires_at_ms > this.#clock.now()) return kept;
    this.#kept.delete(key);
    return undefined;
  }

  /** Makes the entry for `restore`, so that the caller can write it to disk first. */
  entry(key: string, body: Buffer, answer: Answer): KeptAnswer {
    return { key, body_hash: bodyHash(body), answer, expires_at_ms: this.#clock.now() + WINDOW_MS };
  }

  restore(kept: KeptAnswer): void {
    this.#kept.set(kept.key, kept);
  }

  clear(): void {
    this.#kept.clear();
  }
}

export function bodyHash(body: Buffer): string {
  return hash("sha1", body, "base64");
}
