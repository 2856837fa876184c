/** The current values of the history's states. */
import { deadLetters } from "../dead-letters/client.ts";
import type { Env } from "../env.ts";
import { shardStatuses } from "../ledger/client.ts";
import { monitor } from "../monitor/client.ts";
import { gaugesOf } from "../monitor/gauges.ts";
import type { Numbers } from "../numbers.ts";
import { outboxStatus } from "../outbox/client.ts";

/** Asks every object for its current state. */
export async function liveGauges(env: Env): Promise<Numbers> {
  const [shards, outbox, { rounds }, open] = await Promise.all([
    shardStatuses(env),
    outboxStatus(env),
    monitor(env).status(),
    deadLetters(env).groups({}, ["open"], "class"),
  ]);
  return gaugesOf({
    records: shards.reduce((sum, { waiting }) => sum + waiting, 0),
    spilled: outbox.waiting,
    messages: rounds.waitingMessages,
    open: open.groups,
  });
}
