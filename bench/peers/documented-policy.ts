/**
 * The WorkOS policy of Zuplo's documentation ("Custom audit logs") as it works there, written anew: the body is cloned, and the final hook
 * parses it, makes the example's event and awaits WorkOS. Only the address is a variable, so that nothing leaves the machine.
 * https://zuplo.com/docs/articles/custom-audit-logs
 */
import { environment, type ZuploContext, type ZuploRequest } from "@zuplo/runtime";

export async function documentedPolicy(request: ZuploRequest, context: ZuploContext) {
  const copy = request.clone();
  context.addResponseSendingFinalHook(async () => {
    const { extra } = (await copy.json()) as { extra?: unknown };
    const event = {
      action: "user.signed_in",
      occurred_at: "2022-09-02T16:35:39.317Z",
      version: 1,
      actor: { type: "user", id: (request.user as { sub: string }).sub, metadata: { role: "user" } },
      targets: [
        { type: "user", id: "user_98432YHF", name: "Jon Smith" },
        { type: "team", id: "team_J8YASKA2", metadata: { owner: "user_01GBTCQ2" } },
      ],
      context: { location: request.headers.get("True-Client-IP"), user_agent: request.headers.get("User-Agent") },
      metadata: { extra },
    };
    await fetch(`${environment["WORKOS_BASE_URL"]}/audit_logs/events`, {
      method: "POST",
      body: JSON.stringify({ organization_id: "org_01EHWNCE74X7JSDV0X3SZ3KJNY", event }),
      headers: { Authorization: `Bearer ${environment["WORKOS_API_KEY"]}`, "Content-Type": "application/json" },
    });
  });
  return request;
}
