/** What becomes of the records of an outage with the worker's own rules: breaker, probes, retry plan and pace, on a virtual clock. */
import { retryPlan } from "../../shared/retry-horizon.ts";
import {
  afterAttempt,
  afterFailedProbe,
  afterProbe,
  afterProbeBegan,
  type Breaker,
  CLOSED,
  probeSource,
} from "../../worker/monitor/breaker.ts";
import { admit, type Bucket, fullBucket } from "../../worker/monitor/token-bucket.ts";
import { VirtualTime } from "../virtual-time.ts";
import { arrivalsOf, type Ended, type Outage } from "./schedules.ts";

/** The default of `AUDIT_RATE`. */
const RATE_PER_SECOND = 80;

interface Message {
  readonly arrivedMs: number;
  attempts: number;
  deliveredMs?: number;
}

/** One record in each message; an attempt takes no time, because only waits matter here. */
class Delivery {
  readonly #time = new VirtualTime(0);
  readonly #endMs: number;
  readonly #delaysMs = retryPlan().delaysMs;
  readonly messages: readonly Message[];
  #breaker: Breaker = CLOSED;
  #bucket: Bucket = fullBucket(0);
  /** Tried in vain, so that the ledger holds them. */
  #failed: Message[] = [];
  /** Held back at QStash while delivery is paused. */
  #held: Message[] = [];
  deadLetters = 0;

  constructor(outage: Outage) {
    this.#endMs = outage.lengthMs;
    this.messages = arrivalsOf(outage).map((arrivedMs) => ({ arrivedMs, attempts: 0 }));
    for (const message of this.messages) this.#time.at(message.arrivedMs, () => this.#arrive(message));
  }

  async run(): Promise<void> {
    // Nothing here awaits anything.
    await this.#time.run(Infinity, () => Promise.resolve());
  }

  get #isDown(): boolean {
    return this.#time.now() < this.#endMs;
  }

  /** A message comes from the queue, for the first time or again. */
  #arrive(message: Message): void {
    if (message.deliveredMs !== undefined) return;
    if (this.#breaker.phase === "open") this.#held.push(message);
    else this.#inTurn(() => this.#attempt(message));
  }

  #attempt(message: Message): void {
    if (message.deliveredMs !== undefined) return;
    message.attempts += 1;
    const nowMs = this.#time.now();
    if (!this.#isDown) {
      message.deliveredMs = nowMs;
      this.#breaker = afterAttempt(this.#breaker, "delivered", nowMs);
      return;
    }
    this.#failed.push(message);
    const delayMs = this.#delaysMs[message.attempts - 1];
    if (delayMs === undefined) this.deadLetters += 1;
    else this.#time.after(delayMs, () => this.#arrive(message));
    this.#breaker = afterAttempt(this.#breaker, "failed", nowMs);
    if (this.#breaker.phase === "open") this.#probeNext();
  }

  #probeNext(): void {
    this.#time.at(this.#breaker.nextProbeMs, () => this.#probe());
  }

  #probe(): void {
    this.#breaker = afterProbeBegan(this.#breaker, this.#time.now());
    const source = probeSource(this.#breaker, this.#failed.length);
    if (this.#isDown) {
      this.#breaker = afterFailedProbe(this.#breaker, source);
      return this.#probeNext();
    }
    // What has used up an attempt goes first, and only then does the queue run again.
    for (const message of this.#failed.splice(0)) this.#inTurn(() => (message.deliveredMs ??= this.#time.now()));
    this.#breaker = afterProbe(this.#breaker, 1);
    for (const message of this.#held.splice(0)) this.#inTurn(() => this.#attempt(message));
  }

  #inTurn(work: () => void): void {
    const { bucket, waitMs } = admit(this.#bucket, 1, RATE_PER_SECOND, this.#time.now());
    this.#bucket = bucket;
    if (waitMs === 0) work();
    else this.#time.after(waitMs, work);
  }
}

/** Delivers the records of an outage as the worker does. */
export async function withBreaker(outage: Outage): Promise<Ended> {
  const delivery = new Delivery(outage);
  await delivery.run();
  const delivered = delivery.messages.flatMap(({ arrivedMs, deliveredMs }) =>
    deliveredMs === undefined ? [] : [{ arrivedMs, deliveredMs }],
  );
  const lastMs = delivered.reduce((last, { deliveredMs }) => Math.max(last, deliveredMs), 0);
  return {
    latenessMs: delivered.map(({ arrivedMs, deliveredMs }) => deliveredMs - arrivedMs),
    recoveredAfterMs: Math.max(lastMs - outage.lengthMs, 0),
    deadLetters: delivery.deadLetters,
    mostAttempts: delivery.messages.reduce((most, { attempts }) => Math.max(most, attempts), 0),
  };
}
