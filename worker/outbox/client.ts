/** The client of the outbox: a few shards, each with its own alarm. */
import { shardOf } from "../../shared/event-id.ts";
import type { Env } from "../env.ts";
import type { Outbox } from "./outbox.ts";
import type { OutboxStatus } from "./store.ts";

/** The spill is the exception, so a few are enough. Our choice; lowering it would strand waiting messages. */
const OUTBOX_SHARDS = 4;

type OutboxEnv = Pick<Env, "OUTBOX">;

/** The shard of a deduplication id. */
export function outboxOf(env: OutboxEnv, deduplicationId: string) {
  return shard(env, shardOf(deduplicationId, OUTBOX_SHARDS));
}

/** The totals of all shards. */
export async function outboxStatus(env: OutboxEnv): Promise<OutboxStatus> {
  const parts = await Promise.all(shards(env).map((outbox) => outbox.status()));
  const oldest = parts.flatMap(({ oldestMs }) => oldestMs ?? []);
  return {
    waiting: parts.reduce((sum, { waiting }) => sum + waiting, 0),
    oldestMs: oldest.length > 0 ? Math.min(...oldest) : null,
    bytes: parts.flatMap(({ bytes }) => bytes),
    failure: parts.find(({ failure }) => failure !== null)?.failure ?? null,
  };
}

/** Whether a message with the event id waits in any shard. */
export async function outboxHolds(env: OutboxEnv, eventId: string): Promise<boolean> {
  return (await Promise.all(shards(env).map((outbox) => outbox.holds(eventId)))).includes(true);
}

function shards(env: OutboxEnv) {
  return Array.from({ length: OUTBOX_SHARDS }, (_, index) => shard(env, index));
}

function shard(env: OutboxEnv, index: number) {
  return (env.OUTBOX as DurableObjectNamespace<Outbox>).getByName(`outbox-${index}`);
}
