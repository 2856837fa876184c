/** Finds out whether the gateway still sends records. */
import type { Env } from "../env.ts";
import type { Settings } from "../variables.ts";
import { monitor } from "../monitor/client.ts";
import { outboxStatus } from "../outbox/client.ts";

/** One cron round. Only a probe needs to know whether messages wait in the outbox. */
export async function watchGateway(env: Env, settings: Settings): Promise<void> {
  const isSpilled = settings.AUDIT_PROBE_URL !== undefined && (await outboxStatus(env)).waiting > 0;
  await monitor(env).probeGateway(isSpilled);
}
