/** The worker's entry: routes, cron and Durable Objects. Almost no logic. */
import { archive } from "./archive/client.ts";
import { archiveRoutes } from "./archive/routes.ts";
import { sweep } from "./archive/sweep.ts";
import { consoleRoutes } from "./console/routes.ts";
import { deliverRoutes } from "./deliver/route.ts";
import { parseSettings, type Env } from "./env.ts";
import { replayRoutes } from "./replay/routes.ts";
import { logFailure, pipeline } from "./http/pipeline.ts";
import type { Route } from "./http/route.ts";
import { eventRoutes } from "./ledger/events.ts";
import { metricsRoutes } from "./metrics.ts";
import { monitorRoutes } from "./monitor/routes.ts";
import { watch } from "./monitor/watch.ts";
import { ingestRoutes } from "./outbox/ingest.ts";
import { verifyRoutes } from "./verify/routes.ts";

export { Archive } from "./archive/archive.ts";
export { Ledger } from "./ledger/ledger.ts";
export { Monitor } from "./monitor/monitor.ts";
export { Outbox } from "./outbox/outbox.ts";

const routes: readonly Route[] = [
  ...deliverRoutes,
  ...ingestRoutes,
  ...monitorRoutes,
  ...metricsRoutes,
  ...eventRoutes,
  ...archiveRoutes,
  ...replayRoutes,
  ...verifyRoutes,
  ...consoleRoutes,
];

const handle = pipeline(routes);

export default {
  fetch: (request, env) => handle(request, env),

  async scheduled(_controller, env): Promise<void> {
    const parsed = parseSettings(env);
    if (!parsed.ok) return;
    // A failing step must not stop the others.
    const done = await Promise.allSettled([
      sweep(env, parsed.settings),
      watch(env, parsed.settings, Date.now()),
      archive(env).reconcile(),
    ]);
    for (const step of done) if (step.status === "rejected") logFailure("scheduled", step.reason);
  },
} satisfies ExportedHandler<Env>;
