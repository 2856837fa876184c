/** `GET /metrics`: the counters of all shards, and what waits right now. */
import { deadLetters } from "./dead-letters/client.ts";
import { evidenceLog } from "./evidence/client.ts";
import type { RouteContext, Route } from "./http/route.ts";
import { shardStatuses } from "./ledger/client.ts";
import { sumNumbers } from "./numbers.ts";
import { render } from "./metrics-text.ts";
import { storageUse } from "./health/storage.ts";
import { monitor } from "./monitor/client.ts";
import { reportRefusals } from "./monitor/refusal-client.ts";
import { outboxStatus } from "./outbox/client.ts";

export const metricsRoutes: readonly Route[] = [{ method: "GET", path: "/metrics", access: "read", handle: metrics }];

async function metrics({ env }: RouteContext): Promise<Response> {
  await reportRefusals(env);
  const [shards, outbox, { pause, numbers: tally, rounds }, open, evidence] = await Promise.all([
    shardStatuses(env),
    outboxStatus(env),
    monitor(env).status(),
    deadLetters(env).groups({}, ["open"], "class"),
    env.EVIDENCE && evidenceLog(env).status(env.clock.now()),
  ]);
  const storage = await storageUse(env, shards, outbox);
  const oldest = shards.flatMap(({ oldestMs }) => oldestMs ?? []);
  const text = render(
    {
      numbers: sumNumbers(shards.map(({ numbers }) => numbers)),
      waiting: shards.reduce((sum, { waiting }) => sum + waiting, 0),
      oldestWaitingMs: oldest.length > 0 ? Math.min(...oldest) : null,
      outboxWaiting: outbox.waiting,
      outboxOldestMs: outbox.oldestMs,
      isPaused: pause !== null,
      tally,
      storage,
      waitingMessages: rounds.waitingMessages,
      evidence,
      deadLetters: open.groups,
    },
    env.clock.now(),
  );
  return new Response(text, { headers: { "content-type": "text/plain; version=0.0.4", "cache-control": "no-store" } });
}
