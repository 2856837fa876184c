/** The worker's variables for a WorkOS stand-in and a development queue. */
import { variablesOf } from "../../../dev/worker-variables.ts";
import type { Queue } from "../../../dev/queue/server.ts";
import type { WorkosStandIn } from "../../../dev/workos/server.ts";

export const ADMIN_TOKEN = "admin-token-of-the-tests-0001";
export const INGEST_KEY = "whsec_dGVzdC1pbmdlc3Qta2V5LTMyLWJ5dGVzLWxvbmchISE=";

export function workerVariables(workos: WorkosStandIn, queue: Queue): Record<string, string> {
  return {
    ...variablesOf(workos, queue),
    AUDIT_INGEST_KEY: INGEST_KEY,
    AUDIT_ADMIN_TOKEN: ADMIN_TOKEN,
  };
}
