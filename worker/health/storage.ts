/** How full the Durable Objects are. */
import { deadLetters } from "../dead-letters/client.ts";
import type { Env } from "../env.ts";
import type { ShardStatus } from "../ledger/ledger.ts";
import type { OutboxStatus } from "../outbox/store.ts";
import { monitor } from "../monitor/client.ts";

/** A SQLite Durable Object holds 10 GB. https://developers.cloudflare.com/durable-objects/platform/limits/ */
const OBJECT_MAX_BYTES = 10_000_000_000;
/** From this share on people are told. */
const NEARLY_FULL = 0.7;

/** One database. */
interface StorageUse {
  readonly object: "ledger" | "outbox" | "archive" | "monitor";
  readonly shard: number;
  readonly bytes: number;
}

/** The size of every database; the caller has asked the ledger and the outbox already. */
export async function storageUse(
  env: Env,
  shards: readonly ShardStatus[],
  outbox: OutboxStatus,
): Promise<readonly StorageUse[]> {
  const [archiveBytes, { storageBytes }] = await Promise.all([deadLetters(env).storageBytes(), monitor(env).status()]);
  return [
    ...shards.map(({ bytes }, shard) => ({ object: "ledger" as const, shard, bytes })),
    ...outbox.bytes.map((bytes, shard) => ({ object: "outbox" as const, shard, bytes })),
    { object: "archive", shard: 0, bytes: archiveBytes },
    { object: "monitor", shard: 0, bytes: storageBytes },
  ];
}

/** Names the fullest database that is nearly full; undefined where none is. */
export function nearlyFull(use: readonly StorageUse[]): string | undefined {
  const [fullest] = use.toSorted((left, right) => right.bytes - left.bytes);
  if (!fullest || fullest.bytes < NEARLY_FULL * OBJECT_MAX_BYTES) return undefined;
  const percent = Math.floor((fullest.bytes / OBJECT_MAX_BYTES) * 100);
  return `${fullest.object} ${fullest.shard} is ${percent} % full`;
}
