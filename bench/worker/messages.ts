/** The messages that the handlers get: the same records for each, in the form that each takes, signed for its URL. */
import { signDelivery } from "../../dev/queue/delivery/signature.ts";
import type { EventBody } from "../../shared/event.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { decodeMessage } from "../../worker/message/decoded-message.ts";
import { enrich } from "../../worker/enrichment.ts";
import { drive } from "../bytes/measure.ts";
import type { SdkMessage } from "./handlers/sdk.ts";

export const SIGNING_KEY = "sig_bench_current_000000000000000000";
export const NEXT_SIGNING_KEY = "sig_bench_next_000000000000000000000";

export type Form = "ours" | "event" | "sdk";

interface SignedMessage {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** Bodies as the policy publishes them, with that many records in each; every call makes new event ids. */
export async function makeBodies(messages: number, records: number): Promise<readonly string[]> {
  const published = await drive({
    traceparent: true,
    requests: messages * records,
    gapMs: () => (records === 1 ? 1_000 : 0.1),
    durationMs: 5,
    options: { maxRecords: records },
  });
  return published.map(({ body }) => body).slice(0, messages);
}

/** Brings a body into the form that a handler takes, and signs it for the handler's URL. */
export async function signedMessage(body: string, form: Form, url: string, nowMs: number): Promise<SignedMessage> {
  const bytes = Buffer.from(
    form === "ours" ? body : JSON.stringify(form === "event" ? eventsOf(body)[0] : sdkOf(body)),
  );
  const signature = await signDelivery(SIGNING_KEY, `${url}/deliver`, bytes, nowMs);
  return {
    body: bytes,
    headers: {
      "content-type": "application/json",
      "upstash-signature": signature,
      "upstash-message-id": `msg_${Math.random().toString(36).slice(2)}`,
      "upstash-retried": "0",
    },
  };
}

/** The records of a message that the benchmark made. */
export function recordsOf(body: string): readonly AuditRecord[] {
  const decoded = decodeMessage(Buffer.from(body));
  if (decoded.kind !== "message") throw new Error("the benchmark's own message is unreadable");
  return decoded.records;
}

function eventsOf(body: string): readonly EventBody[] {
  return recordsOf(body).flatMap((record) => enrich(record) ?? []);
}

function sdkOf(body: string): SdkMessage {
  const ids = recordsOf(body).map(({ id }) => id);
  return {
    events: eventsOf(body).map(({ organization_id: organization, event }, index) => {
      const { occurred_at: occurredAt, context, ...rest } = event;
      const { location, user_agent: userAgent } = context;
      return { id: ids[index] ?? "", organization, event: { ...rest, occurredAt, context: { location, userAgent } } };
    }),
  };
}
