/** The two paths out of the gateway: QStash, and the worker's `/ingest`. Each sends one message once and returns the result. */
import { fromBase64, toBase64 } from "../shared/bytes.ts";
import { publishHeaders, publishPath } from "../shared/qstash-headers.ts";
import { parseJson } from "./json.ts";
import type { Ports, Reply } from "./ports.ts";
import { objectOf } from "./selector.ts";

/** A message ready to be sent, the same on both paths. */
export interface Outgoing {
  readonly body: string;
  readonly deduplicationId: string;
  readonly delaySeconds: number;
}

export type SendResult =
  | { readonly ok: true }
  /** `again`: a second try at once may help. */
  | { readonly ok: false; readonly again: boolean; readonly reason: string };

export type Send = (message: Outgoing, timeoutMs: number) => Promise<SendResult>;

export interface QueueSettings {
  readonly qstashUrl: string;
  readonly qstashToken: string;
  readonly workerUrl: string;
  readonly flowControlKey: string;
  readonly rate: number;
  readonly retries: number;
}

/** The first path: publishes to QStash. Only a 2xx whose JSON carries a message id is an acknowledgement. */
export function queuePath(settings: QueueSettings, ports: Pick<Ports, "post">): Send {
  const url = settings.qstashUrl + publishPath(settings.workerUrl);
  return (message, timeoutMs) => {
    const headers = {
      ...publishHeaders({ ...settings, ...message }),
      authorization: `Bearer ${settings.qstashToken}`,
    };
    return attempt(() => ports.post(url, headers, message.body, timeoutMs), holdsMessageId);
  };
}

function holdsMessageId({ status, text }: Reply): boolean {
  return status < 300 && typeof objectOf(parseJson(text))["messageId"] === "string";
}

export interface SpillSettings {
  readonly workerUrl: string;
  readonly ingestKey: string;
}

/** The second path: posts to the worker, signed as a Standard Webhook. https://www.standardwebhooks.com */
export function spillPath(settings: SpillSettings, ports: Pick<Ports, "post" | "hmac" | "nowMs">): Send {
  const secret = fromBase64(settings.ingestKey.slice("whsec_".length)) ?? new Uint8Array();
  const url = `${settings.workerUrl}/ingest`;
  return async ({ body, deduplicationId }, timeoutMs) => {
    const timestamp = String(Math.floor(ports.nowMs() / 1000));
    const headers = {
      "content-type": "application/json",
      "webhook-id": deduplicationId,
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${toBase64(await ports.hmac(secret, `${deduplicationId}.${timestamp}.${body}`))}`,
    };
    // Only 202 counts: the HTML page of a captive portal has status 200, although nothing was stored.
    return attempt(
      () => ports.post(url, headers, body, timeoutMs),
      ({ status }) => status === 202,
    );
  };
}

async function attempt(post: () => Promise<Reply>, isAcknowledged: (reply: Reply) => boolean): Promise<SendResult> {
  try {
    const reply = await post();
    if (isAcknowledged(reply)) return { ok: true };
    const { status } = reply;
    return { ok: false, again: status < 300 || status === 429 || status >= 500, reason: `status ${status}` };
  } catch (error) {
    const timeout = String(error).startsWith("Timeout");
    return { ok: false, again: !timeout, reason: timeout ? "timeout" : "no connection" };
  }
}
