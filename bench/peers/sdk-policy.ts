/**
 * What one would write with the official SDKs: the final hook publishes one message for each event with `publishJSON`, and the worker's
 * handler in `bench/worker/handlers/sdk.ts` sends it to WorkOS. The response does not wait for it. The flow control is that of our policy.
 * https://upstash.com/docs/qstash/sdks/ts/examples/publish
 */
import { Client } from "@upstash/qstash";
import { environment, type ZuploContext, type ZuploRequest } from "@zuplo/runtime";
import type { SdkMessage } from "../worker/handlers/sdk.ts";

let client: Client | undefined;

export async function sdkPolicy(request: ZuploRequest, context: ZuploContext) {
  context.addResponseSendingFinalHook((response, latest) => {
    context.waitUntil(publish(latest, context, response.status));
  });
  return request;
}

async function publish(request: ZuploRequest, context: ZuploContext, status: number): Promise<void> {
  client ??= new Client({ baseUrl: environment["QSTASH_URL"] ?? "", token: environment["QSTASH_TOKEN"] ?? "" });
  const id = crypto.randomUUID();
  const { sub } = request.user as { sub: string };
  const event = {
    action: "member.invited",
    occurredAt: new Date().toISOString(),
    actor: { type: "user", id: sub },
    targets: [{ type: "team", id: request.params["teamId"] }],
    context: { location: request.headers.get("true-client-ip"), userAgent: request.headers.get("user-agent") },
    metadata: { request_id: context.requestId, status },
  };
  const organization = environment["AUDIT_ORGANIZATION_ID"] ?? "";
  const message: SdkMessage = { events: [{ id, organization, event }] };
  await client.publishJSON({
    url: `${environment["SDK_WORKER_URL"]}/deliver`,
    body: message,
    deduplicationId: id,
    flowControl: { key: "sdk", parallelism: 40, rate: 600, period: "1s" },
  });
}
