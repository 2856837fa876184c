/** Publishes what waits in the outbox, oldest first. Pure but for its ports. */
import type { PublishResult } from "../qstash/publication.ts";
import type { OutboxStore, Waiting } from "./store.ts";

/** Messages that one step publishes: with a step a second and four shards this is the pace of the flow control. Our choice. */
export const BATCH = 20;
/** Time from one step to the next while there is more. */
export const STEP_MS = 1_000;
const BACKOFF_FIRST_MS = 2_000;
const BACKOFF_MAX_MS = 300_000;

/** QStash will never take this very message. 401, 403, 404, 412 and 429 say something of the account instead. */
const REFUSED = new Set([400, 413, 422]);

interface DrainPorts {
  readonly publish: (message: Waiting) => Promise<PublishResult>;
  /** Parks the records of a message that QStash refuses; rejects if they cannot be stored. */
  readonly refuse: (message: Waiting, reason: string) => Promise<void>;
}

interface Drained {
  /** Why the step ended early. */
  readonly failure: string | null;
}

/** Publishes up to one batch in order; stops at the first message that QStash does not take, because the next fares no better. */
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

/** ms until the next step after so many failures in a row. */
export function backoffMs(failures: number): number {
  return failures === 0 ? STEP_MS : Math.min(BACKOFF_FIRST_MS * 2 ** (failures - 1), BACKOFF_MAX_MS);
}
