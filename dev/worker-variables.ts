/** The worker's variables for a WorkOS stand-in and a development queue. */
import type { Queue } from "./queue/server.ts";
import type { WorkosStandIn } from "./workos/server.ts";

/** The variables that point to both and authenticate the worker to them. */
export function variablesOf(workos: WorkosStandIn, queue: Queue) {
  return {
    WORKOS_API_KEY: workos.apiKey,
    WORKOS_BASE_URL: workos.url,
    QSTASH_URL: queue.url,
    QSTASH_TOKEN: queue.token,
    QSTASH_CURRENT_SIGNING_KEY: queue.currentSigningKey,
    QSTASH_NEXT_SIGNING_KEY: queue.nextSigningKey,
  };
}
