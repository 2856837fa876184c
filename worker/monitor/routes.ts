/** `GET /health`, `POST /api/pause` and `POST /api/resume`. */
import { jsonAnswer, problemAnswer } from "../http/answers.ts";
import type { Context, Route } from "../http/router.ts";
import { pauseDelivery, resumeDelivery } from "./client.ts";
import { describePause, health } from "./health.ts";

export const monitorRoutes: readonly Route[] = [
  { method: "GET", path: "/health", access: "anyone", handle: health },
  { method: "POST", path: "/api/pause", access: "admin", handle: pause },
  { method: "POST", path: "/api/resume", access: "admin", handle: resume },
];

async function pause({ env }: Context): Promise<Response> {
  const state = await pauseDelivery(env, "paused by an operator", "operator", Date.now());
  return jsonAnswer({ paused: describePause(state) });
}

async function resume({ env }: Context): Promise<Response> {
  if (await resumeDelivery(env, Date.now())) return jsonAnswer({ paused: false });
  const detail = "QStash did not confirm it, so delivery stays paused; try again";
  return problemAnswer(502, "queue_unreachable", "Not resumed", detail, { "retry-after": "5" });
}
