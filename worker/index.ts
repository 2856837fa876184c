/** The worker's entry: routes, cron and Durable Objects. Almost no logic. */
import { deadLetters } from "./dead-letters/client.ts";
import { deadLetterRoutes } from "./api/dead-letters.ts";
import { consoleSite } from "./console/site.ts";
import { deliverRoutes } from "./delivery/route.ts";
import { environmentOf, type PlatformEnv } from "./env.ts";
import { parseSettings } from "./variables.ts";
import { replayRoutes } from "./api/replays.ts";
import { pipeline } from "./http/pipeline.ts";
import type { Route } from "./http/route.ts";
import { logFailure } from "./log.ts";
import { checkJurisdiction } from "./jurisdiction-check.ts";
import { monitor, resolveIncident } from "./monitor/client.ts";
import { countRefusal, reportMissing, sweepAndTell } from "./health/signals.ts";
import { eventRoutes } from "./api/events.ts";
import { metricsHistoryRoutes } from "./api/metrics.ts";
import { metricsRoutes } from "./metrics.ts";
import { monitorRoutes } from "./api/delivery.ts";
import { incidentRoutes } from "./api/incidents.ts";
import { meRoutes } from "./api/me.ts";
import { watch } from "./health/watch.ts";
import { evidenceRoutes } from "./evidence/routes.ts";
import { sealAndTell } from "./health/evidence.ts";
import { watchGateway } from "./health/gateway.ts";
import { ingestRoutes } from "./outbox/routes.ts";
import { verifyRoutes } from "./api/verify.ts";

export { Archive } from "./replays/dead-letter-object.ts";
export { EvidenceLog } from "./evidence/evidence-log.ts";
export { Ledger } from "./ledger/ledger.ts";
export { Monitor } from "./monitor/monitor.ts";
export { Outbox } from "./outbox/outbox.ts";

const routes: readonly Route[] = [
  ...deliverRoutes,
  ...ingestRoutes,
  ...monitorRoutes,
  ...meRoutes,
  ...incidentRoutes,
  ...metricsRoutes,
  ...metricsHistoryRoutes,
  ...eventRoutes,
  ...deadLetterRoutes,
  ...replayRoutes,
  ...verifyRoutes,
  ...evidenceRoutes,
];

const handle = pipeline(routes, countRefusal, checkJurisdiction);

export default {
  fetch: async (request, platformEnv, execution) =>
    consoleSite(request, platformEnv) ?? handle(request, environmentOf(platformEnv), execution),

  async scheduled({ scheduledTime }, platformEnv): Promise<void> {
    const env = environmentOf(platformEnv);
    const parsed = parseSettings(env);
    if (!parsed.ok) return reportMissing(env, parsed);
    // Parsed only now: an unreadable value must not count as the first choice.
    await checkJurisdiction(env);
    await resolveIncident(env, "not_configured");
    // A failing step must not stop the others.
    const done = await Promise.allSettled([
      sweepAndTell(env, parsed.settings),
      watch(env, env.clock.now()),
      monitor(env).sendLate(),
      watchGateway(env, parsed.settings),
      deadLetters(env).reconcile(),
      // A laptop may run the cron for a later time, to seal recent deliveries at once.
      sealAndTell(env, parsed.settings, Math.max(env.clock.now(), scheduledTime)),
    ]);
    for (const step of done) if (step.status === "rejected") logFailure({ task: "cron" }, step.reason);
  },
} satisfies ExportedHandler<PlatformEnv>;
