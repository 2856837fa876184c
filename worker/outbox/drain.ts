/** Publishes the messages in the outbox, oldest first. Pure except for its ports. */
import type { PublishResult } from "../qstash/publication.ts";
import type { OutboxStore, Waiting } from "./store.ts";

/** Messages per step: with one step a second and four shards this is the pace of the flow control. Our choice. */
export const BATCH = 20;
/** Time between two steps while messages wait. */
export const STEP_MS = 1_000;
const BACKOFF_FIRST_MS = 2_000;
const BACKOFF_MAX_MS = 300_000;

/** QStash will never accept this message. 401, 403, 404, 412 and 429 concern the account instead. */
const REFUSED = new Set([400, 413, 422]);

interface DrainPorts {
  readonly publish: (message: Waiting) => Promise<PublishResult>;
  /** Stores the records of a refused message as dead letters; rejects if that fails. */
  readonly refuse: (message: Waiting, reason: string) => Promise<void>;
}

interface Drained {
  /** Why the step ended early. */
  readonly failure: string | null;
}

/** Publishes up to one batch in order; stops at the first message that QStash does not accept, because the next would fail as well. */
export async function drainStep(store: OutboxStore, ports: DrainPorts): Promise<Drained> {
  for (const message of store.oldest(BATCH)) {
    const result = await ports.publish(message);
    if (!result.ok && result.status !== undefined && REFUSED.has(result.status)) {
      await ports.refuse(message, `queue_refuses ${result.reason}`);
    } else if (!result.ok) {
      return { failure: result.reason };
    }
    store.remove(message.seq);
  }
  return { failure: null };
}

/** ms until the next step after this many consecutive failures. */
export function backoffMs(failures: number): number {
  return failures === 0 ? STEP_MS : Math.min(BACKOFF_FIRST_MS * 2 ** (failures - 1), BACKOFF_MAX_MS);
}
