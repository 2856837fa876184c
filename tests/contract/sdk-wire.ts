/** What the official SDK would send for an event: the second opinion on our worker's bytes. */
import { WorkOS } from "@workos-inc/node";
import type { EventBody } from "../../shared/event.ts";

interface SdkRequest {
  readonly method: string;
  readonly path: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as text; its keys may stand in another order than ours, so compare it parsed. */
  readonly body: string;
}

/** The request `createEvent` of `@workos-inc/node` makes for this event; nothing is sent. */
export async function sdkCreateEventRequest(
  { organization_id, event }: EventBody,
  idempotencyKey: string,
  apiKey = "sk_test_workos",
): Promise<SdkRequest> {
  let captured: SdkRequest | undefined;
  const fetchFn = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    captured = {
      method: request.method,
      path: new URL(request.url).pathname,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    };
    return Response.json({ success: true });
  };
  const { occurred_at, context, ...rest } = event;
  await new WorkOS(apiKey, { fetchFn }).auditLogs.createEvent(
    organization_id,
    {
      ...rest,
      targets: [...event.targets],
      occurredAt: new Date(occurred_at),
      context: {
        location: context.location,
        ...(context.user_agent !== undefined && { userAgent: context.user_agent }),
      },
    },
    { idempotencyKey },
  );
  if (!captured) throw new TypeError("the SDK made no request");
  return captured;
}
