/** The worker's entry: routes, cron and Durable Objects. Almost no logic. */
import { archiveRoutes } from "./archive/routes.ts";
import { sweep } from "./archive/sweep.ts";
import { deliverRoutes } from "./deliver/route.ts";
import { parseSettings, type Env } from "./env.ts";
import { refuseUnlessAdmin } from "./http/admin.ts";
import { problemAnswer } from "./http/answers.ts";
import { replayRoutes } from "./replay/routes.ts";
import { ingestRoutes } from "./outbox/ingest.ts";
import { compileRoutes, matchRoute, type Route } from "./http/router.ts";

import { monitorRoutes } from "./monitor/routes.ts";

export { Archive } from "./archive/archive.ts";
export { Ledger } from "./ledger/ledger.ts";
export { Monitor } from "./monitor/monitor.ts";
export { Outbox } from "./outbox/outbox.ts";

const routes: readonly Route[] = [
  ...deliverRoutes,
  ...ingestRoutes,
  ...monitorRoutes,
  ...archiveRoutes,
  ...replayRoutes,
];

const compiled = compileRoutes(routes);

export default {
  async fetch(request, env, execution): Promise<Response> {
    const url = new URL(request.url);
    const match = matchRoute(compiled, request.method, url);
    if ("refusal" in match) return match.refusal;
    const parsed = parseSettings(env);
    if (!parsed.ok) {
      // A retry, never a loss: QStash keeps the message until the variables are right.
      const names = [...parsed.missing, ...parsed.malformed].join(", ");
      return problemAnswer(503, "missing_variable", "Not configured", `missing or malformed variables: ${names}`, {
        "retry-after": "60",
      });
    }
    const { settings } = parsed;
    if (match.route.access === "admin") {
      const refusal = await refuseUnlessAdmin(request, settings.AUDIT_ADMIN_TOKEN);
      if (refusal) return refusal;
    }
    return match.route.handle({ request, url, params: match.params, env, settings, execution });
  },

  async scheduled(_controller, env): Promise<void> {
    const parsed = parseSettings(env);
    if (parsed.ok) await sweep(env, parsed.settings);
  },
} satisfies ExportedHandler<Env>;
