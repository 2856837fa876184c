/** `GET /health`, `POST /api/pause` and `POST /api/resume`. */
import { jsonAnswer, problemAnswer } from "../http/answers.ts";
import type { Context, Route } from "../http/router.ts";
import { monitor, pauseDelivery, resumeDelivery } from "./client.ts";
import type { Pause } from "./monitor.ts";

export const monitorRoutes: readonly Route[] = [
  { method: "GET", path: "/health", access: "anyone", handle: health },
  { method: "POST", path: "/api/pause", access: "admin", handle: pause },
  { method: "POST", path: "/api/resume", access: "admin", handle: resume },
];

async function health({ env }: Context): Promise<Response> {
  const state = await monitor(env).pauseState();
  return jsonAnswer({ status: state ? "paused" : "ok", paused: describePause(state) });
}

async function pause({ env }: Context): Promise<Response> {
  const state = await pauseDelivery(env, "paused by an operator", "operator", Date.now());
  return jsonAnswer({ paused: describePause(state) });
}

async function resume({ env }: Context): Promise<Response> {
  if (await resumeDelivery(env, Date.now())) return jsonAnswer({ paused: false });
  return problemAnswer(502, "queue_unreachable", "Not resumed", "QStash did not confirm it; try again", {
    "retry-after": "5",
  });
}

function describePause(pause: Pause | null) {
  if (!pause) return false;
  const { reason, by, sinceMs, confirmed } = pause;
  return { reason, by, since: new Date(sinceMs).toISOString(), confirmed_by_queue: confirmed };
}
