/** The outbound calls alone: the events of a message sent on, five at a time, with nothing checked. No handler can cost less. */
import type { SdkMessage } from "./sdk.ts";

interface Env {
  readonly WORKOS_API_KEY: string;
  readonly WORKOS_BASE_URL: string;
}

/** As many as our worker sends at once. */
const LANES = 5;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { events } = (await request.json()) as SdkMessage;
    const queue = [...events];
    const lane = async () => {
      for (let event = queue.shift(); event; event = queue.shift()) await send(event, env);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return new Response(null);
  },
};

async function send(event: SdkMessage["events"][number], env: Env): Promise<void> {
  const answer = await fetch(`${env.WORKOS_BASE_URL}/audit_logs/events`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${env.WORKOS_API_KEY}`,
      "content-type": "application/json",
      "idempotency-key": event.id,
    },
    body: JSON.stringify(event),
  });
  await answer.text();
}
