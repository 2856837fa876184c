/** Spills a message as the policy does: signed as Standard Webhooks say. */
import { Webhook } from "standardwebhooks";

export interface Spill {
  readonly key: string;
  readonly id?: string;
  readonly at?: Date;
  readonly headers?: Record<string, string>;
}

export async function spill(workerUrl: string, body: string, { key, id = "m1", at = new Date(), headers = {} }: Spill) {
  const response = await fetch(`${workerUrl}/ingest`, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
      "webhook-signature": new Webhook(key).sign(id, at, body),
      ...headers,
    },
  });
  const json: Record<string, unknown> = JSON.parse(await response.text());
  return { status: response.status, json };
}
