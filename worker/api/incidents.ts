/** `GET /api/incidents`: open incidents, those of the last 30 days, and what operators did about them. */
import type { IncidentAnswer } from "../../shared/api.ts";
import { jsonAnswer } from "../http/answers.ts";
import type { Route, RouteContext } from "../http/route.ts";
import { isoTime } from "../json-fields.ts";
import { monitor } from "../monitor/client.ts";
import type { IncidentStory } from "../monitor/monitor.ts";
import { invalid, onceEach } from "./parameters.ts";

export const incidentRoutes: readonly Route[] = [
  { method: "GET", path: "/api/incidents", access: "read", handle: incidents },
];

async function incidents({ env, url }: RouteContext): Promise<Response> {
  if (Object.keys(onceEach(url.searchParams)).length > 0) throw invalid("this route takes no parameters");
  const stories = await monitor(env).stories();
  return jsonAnswer({ incidents: stories.map(incidentView) });
}

function incidentView({ kind, detail, sinceMs, untilMs, actions }: IncidentStory): IncidentAnswer {
  return {
    kind,
    detail,
    since: isoTime(sinceMs),
    ...(untilMs === null ? {} : { until: isoTime(untilMs) }),
    actions: actions.map(({ action, by, targetType, targetId, endedMs }) => ({
      action,
      by,
      at: isoTime(endedMs),
      target: { type: targetType, id: targetId },
    })),
  };
}
