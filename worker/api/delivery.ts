/** `GET /health`, `POST /api/pause` and `POST /api/resume`. */
import { AuditError } from "../../shared/errors.ts";
import { jsonAnswer } from "../http/answers.ts";
import type { RouteContext, Route } from "../http/route.ts";
import { recordOperatorEvent } from "../operator-event.ts";
import { pauseDelivery, resumeDelivery } from "../monitor/client.ts";
import { describePause, health } from "../health/health.ts";

/** The target of a pause or a resume. */
const DELIVERY = { id: "delivery", type: "delivery" };

export const monitorRoutes: readonly Route[] = [
  { method: "GET", path: "/health", access: "anyone", handle: health },
  { method: "POST", path: "/api/pause", access: "operate", handle: pause },
  { method: "POST", path: "/api/resume", access: "operate", handle: resume },
];

async function pause(context: RouteContext): Promise<Response> {
  const { env, operator } = context;
  const reason = "paused by an operator";
  const state = await pauseDelivery(env, reason, "operator", operator.name);
  await recordOperatorEvent(context, {
    action: "audit_forwarder.delivery_paused",
    route: "/api/pause",
    target: DELIVERY,
    metadata: { reason },
  });
  const { pause: shown } = describePause(state, null);
  return jsonAnswer({ paused: true, pause: { ...shown, operator: state.operator } });
}

async function resume(context: RouteContext): Promise<Response> {
  if (await resumeDelivery(context.env)) {
    const action = "audit_forwarder.delivery_resumed" as const;
    await recordOperatorEvent(context, { action, route: "/api/resume", target: DELIVERY });
    return jsonAnswer({ paused: false, operator: context.operator.name });
  }
  const detail = "QStash did not confirm the resume, so the pause stays; try again";
  throw new AuditError("queue_unreachable", detail);
}
