/**
 * Spreads the requests of one message over the time that is their share of the rate: QStash paces messages, WorkOS counts events, and a
 * message of twenty records would bring twenty at once. Without this a backlog runs into 429 every minute and its messages
 * spend their attempts on it.
 */
import type { DeliverPorts } from "./ports.ts";

/** Requests that may start together: one timer for each, and no more than the lanes can carry. */
const BURST = 5;
/** No pace holds a message longer: its last request must still start in time for the lease. */
const MESSAGE_MAX_MS = 12_000;

export class Pace {
  readonly #paceMs: number;
  readonly #ports: Pick<DeliverPorts, "now" | "sleep">;
  readonly #beganMs: number;
  #started = 0;
  #opensAtMs = 0;
  #opening: Promise<void> | undefined;

  /** `paceMs` is what each of `count` requests is worth; 0 does not wait. */
  constructor(paceMs: number, count: number, ports: Pick<DeliverPorts, "now" | "sleep">) {
    this.#paceMs = Math.min(paceMs, MESSAGE_MAX_MS / Math.max(count, 1));
    this.#ports = ports;
    this.#beganMs = ports.now();
  }

  /** Resolves when the next request may start; undefined where it may start at once, because a wait for nothing costs as well. */
  turn(): Promise<void> | undefined {
    const burst = Math.floor(this.#started / BURST);
    this.#started += 1;
    return this.#until(this.#beganMs + burst * BURST * this.#paceMs);
  }

  /** Resolves when all requests that were started have had their time, so that the next message does not begin too soon. */
  end(): Promise<void> | undefined {
    return this.#until(this.#beganMs + this.#started * this.#paceMs);
  }

  #until(atMs: number): Promise<void> | undefined {
    const waitMs = atMs - this.#ports.now();
    if (waitMs <= 0) return undefined;
    // The lanes of a message share one timer.
    if (this.#opensAtMs !== atMs) [this.#opensAtMs, this.#opening] = [atMs, this.#ports.sleep(waitMs)];
    return this.#opening;
  }
}

/** Reads the header that our publishers send along; 0, which does not wait, where it is missing or makes no sense. */
export function readPaceMs(header: string | null): number {
  const paceMs = Number(header);
  return paceMs > 0 && Number.isFinite(paceMs) ? paceMs : 0;
}
