/** How full the Durable Objects are. */
import { deadLetters } from "../dead-letters/client.ts";
import type { Env } from "../env.ts";
import { evidenceLog } from "../evidence/client.ts";
import type { ShardStatus } from "../ledger/ledger.ts";
import type { OutboxStatus } from "../outbox/store.ts";
import { monitor } from "../monitor/client.ts";
import type { StorageUse } from "./nearly-full.ts";

/** Returns the size of every database. The caller has already asked the ledger and the outbox. */
export async function storageUse(
  env: Env,
  shards: readonly ShardStatus[],
  outbox: OutboxStatus,
): Promise<readonly StorageUse[]> {
  const [archiveBytes, { storageBytes }, evidenceBytes] = await Promise.all([
    deadLetters(env).storageBytes(),
    monitor(env).status(),
    evidenceStorage(env),
  ]);
  return [
    ...shards.map(({ shard, bytes }) => ({ object: "ledger" as const, shard, bytes })),
    ...outbox.bytes.map((bytes, shard) => ({ object: "outbox" as const, shard, bytes })),
    { object: "archive", shard: 0, bytes: archiveBytes },
    { object: "monitor", shard: 0, bytes: storageBytes },
    ...evidenceBytes.map((bytes) => ({ object: "evidence" as const, shard: 0, bytes })),
  ];
}

/** Empty without evidence. A log that does not answer is reported where it seals, and must not look like a ledger that does not. */
async function evidenceStorage(env: Env): Promise<readonly number[]> {
  if (!env.EVIDENCE) return [];
  const bytes = await evidenceLog(env)
    .storageBytes()
    .catch(() => undefined);
  return bytes === undefined ? [] : [bytes];
}
