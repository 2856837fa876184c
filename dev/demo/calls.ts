/** The calls of the demo, against the example API in dev/gateway/project. */
import type { DemoCall } from "./call.ts";

export const WARM_UP_PATH = "/health";

export const EXAMPLE_CALL: DemoCall = {
  method: "POST",
  path: "/v1/teams/team_1/members",
  token: "ada",
  body: { email: "grace@example.com" },
  expectStatus: 200,
  expectAction: "member.invited",
};

export const HEALTHY_CALLS: readonly DemoCall[] = [EXAMPLE_CALL];
export const OUTAGE_CALLS: readonly DemoCall[] = [EXAMPLE_CALL];
