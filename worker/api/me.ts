/** `GET /api/me`: who calls and what they may do, so that a client shows only what will work. */
import type { MeAnswer } from "../../shared/api.ts";
import { jsonAnswer } from "../http/answers.ts";
import type { Route, RouteContext } from "../http/route.ts";

export const meRoutes: readonly Route[] = [{ method: "GET", path: "/api/me", access: "read", handle: me }];

function me({ operator, settings }: RouteContext): Response {
  const { AUDIT_ENVIRONMENT: environment } = settings;
  const answer: MeAnswer = { ...operator, ...(environment === undefined ? {} : { environment }) };
  return jsonAnswer(answer);
}
