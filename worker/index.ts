/** The worker's entry: routes, cron and Durable Objects. Almost no logic. */
import { AuditError } from "../shared/errors.ts";
import { archive } from "./archive/client.ts";
import { archiveRoutes } from "./archive/routes.ts";
import { sweep } from "./archive/sweep.ts";
import { consoleRoutes } from "./console/routes.ts";
import { deliverRoutes } from "./deliver/route.ts";
import { parseSettings, type Env } from "./env.ts";
import { admit } from "./http/admin.ts";
import { problemAnswer } from "./http/answers.ts";
import { replayRoutes } from "./replay/routes.ts";
import { compileRoutes, matchRoute, type Context, type Route } from "./http/router.ts";
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

const compiled = compileRoutes(routes);

export default {
  async fetch(request, env, execution): Promise<Response> {
    const url = new URL(request.url);
    const match = matchRoute(compiled, request.method, url);
    if ("refusal" in match) return match.refusal;
    const parsed = parseSettings(env);
    if (!parsed.ok) {
      // A retry, never a loss: QStash keeps the message for its whole schedule, so no "retry-after" shortens that.
      return notConfigured(parsed.missing, parsed.malformed);
    }
    const { settings } = parsed;
    const admission = match.route.access === "admin" ? await admit(request, settings) : { operator: "" };
    if ("refusal" in admission) return admission.refusal;
    const { operator } = admission;
    return answer(match.route, { request, url, params: match.params, env, settings, execution, operator });
  },

  async scheduled(_controller, env): Promise<void> {
    const parsed = parseSettings(env);
    if (!parsed.ok) return;
    // None may keep the others from their turn.
    const done = await Promise.allSettled([
      sweep(env, parsed.settings),
      watch(env, parsed.settings, Date.now()),
      archive(env).reconcile(),
    ]);
    for (const step of done) if (step.status === "rejected") logFailure("scheduled", step.reason);
  },
} satisfies ExportedHandler<Env>;

function notConfigured(missing: readonly string[], malformed: readonly string[]): Response {
  const parts = [
    ...(missing.length > 0 ? [`missing: ${missing.join(", ")}`] : []),
    ...(malformed.length > 0 ? [`malformed: ${malformed.join(", ")}`] : []),
  ];
  const code = missing.length > 0 ? "missing_variable" : "invalid_variable";
  return problemAnswer(503, code, "Not configured", `variables ${parts.join("; ")}`);
}

/** An unexpected failure is a retry for the queue and says nothing of its inside. */
async function answer(route: Route, context: Context): Promise<Response> {
  try {
    return await route.handle(context);
  } catch (error) {
    logFailure(route.path, error);
    return problemAnswer(503, "unavailable", "Unavailable", "the worker could not do it now; try again");
  }
}

function logFailure(where: string, error: unknown): void {
  const type = error instanceof AuditError ? error.code : error instanceof Error ? error.name : "unknown";
  console.error(
    JSON.stringify({ "event.name": "audit.failure", severity_text: "ERROR", "http.route": where, "error.type": type }),
  );
}
