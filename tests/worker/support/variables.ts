/** The worker's variables for a WorkOS stand-in and a development queue. */
import type { Queue } from "../../../dev/queue/server.ts";
import type { WorkosStandIn } from "../../../dev/workos/server.ts";

export const ADMIN_TOKEN = "admin-token-of-the-tests-0001";
export const INGEST_KEY = "whsec_dGVzdC1pbmdlc3Qta2V5LTMyLWJ5dGVzLWxvbmchISE=";

export function workerVariables(workos: WorkosStandIn, queue: Queue): Record<string, string> {
  return {
    WORKOS_API_KEY: workos.apiKey,
    WORKOS_BASE_URL: workos.url,
    QSTASH_URL: queue.url,
    QSTASH_TOKEN: queue.token,
    QSTASH_CURRENT_SIGNING_KEY: queue.currentSigningKey,
    QSTASH_NEXT_SIGNING_KEY: queue.nextSigningKey,
    AUDIT_INGEST_KEY: INGEST_KEY,
    AUDIT_ADMIN_TOKEN: ADMIN_TOKEN,
  };
}
