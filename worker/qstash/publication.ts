/** Publishes a message to the worker's own `/deliver` through QStash, as the policy does. */
import { publishHeaders, publishPath } from "../../shared/qstash-headers.ts";
import { parseJson } from "../json.ts";
import type { Settings } from "../variables.ts";
import { qstashRequest, type Fetch } from "./request.ts";

interface Publish {
  readonly body: string;
  readonly deduplicationId: string;
  readonly delaySeconds?: number | undefined;
  readonly retries?: number | undefined;
}

export type PublishResult =
  | { readonly ok: true; readonly messageId: string; readonly deduplicated: boolean }
  /** `status` is absent if QStash did not answer. */
  | { readonly ok: false; readonly status?: number; readonly reason: string };

type PublishSettings = Pick<Settings, "QSTASH_URL" | "QSTASH_TOKEN" | "AUDIT_WORKER_URL" | "AUDIT_FLOW_CONTROL_KEY">;

/** Publishes one message; only a 2xx whose JSON carries a message id counts. Never throws. */
export async function publishMessage(
  settings: PublishSettings,
  fetcher: Fetch,
  message: Publish,
): Promise<PublishResult> {
  const headers = publishHeaders({
    workerUrl: settings.AUDIT_WORKER_URL,
    deduplicationId: message.deduplicationId,
    delaySeconds: message.delaySeconds,
    retries: message.retries,
    flowControlKey: settings.AUDIT_FLOW_CONTROL_KEY,
  });
  try {
    const path = publishPath(settings.AUDIT_WORKER_URL);
    const response = await qstashRequest(settings, fetcher, path, { method: "POST", headers, body: message.body });
    return readResult(response.status, await response.text());
  } catch (error) {
    return { ok: false, reason: error instanceof DOMException ? "timeout" : "network" };
  }
}

function readResult(status: number, text: string): PublishResult {
  if (status < 200 || status > 299) return { ok: false, status, reason: `http_${status}` };
  const messageId = messageIdIn(text);
  if (messageId === undefined) return { ok: false, status, reason: "no_message_id" };
  return { ok: true, messageId: messageId.id, deduplicated: messageId.deduplicated };
}

function messageIdIn(text: string): { id: string; deduplicated: boolean } | undefined {
  const json = parseJson(text);
  if (typeof json !== "object" || json === null || !("messageId" in json)) return undefined;
  if (typeof json.messageId !== "string" || json.messageId === "") return undefined;
  return { id: json.messageId, deduplicated: "deduplicated" in json && json.deduplicated === true };
}
