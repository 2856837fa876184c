import type { FlowControl } from "../options.ts";
import { DEFAULT_RETRIES, type Message } from "../store/messages.ts";

/** The region that the development queue reports. */
const REGION = "EU-CENTRAL-1";

/** The headers of a delivery: forwarded ones, then QStash's own, which a forwarded header cannot replace. */
export function deliveryHeaders(message: Message, signature: string): Record<string, string[]> {
  const { options } = message;
  const own: Record<string, string[]> = {
    "User-Agent": ["Upstash-QStash"],
    "Upstash-Signature": [signature],
    "Upstash-Message-Id": [message.id],
    "Upstash-Retried": [String(message.retried)],
    "Upstash-Max-Retries": [String(options.retries ?? DEFAULT_RETRIES)],
    "Upstash-Caller-Ip": [message.callerIp],
    "Upstash-Region": [REGION],
  };
  if (options.retryDelay !== undefined) own["Upstash-Retry-Delay"] = [options.retryDelay];
  if (message.urlGroup) own["Upstash-Topic-Name"] = [message.urlGroup.name];
  if (message.queueName) own["Upstash-Queue-Name"] = [message.queueName];
  if (options.flowControl !== undefined) {
    own["Upstash-Flow-Control-Key"] = [options.flowControl.key];
    own["Upstash-Flow-Control-Value"] = [flowControlValue(options.flowControl)];
  }
  return { ...options.header, ...own };
}

function flowControlValue(flow: FlowControl): string {
  const parts = [];
  if (flow.parallelism !== undefined) parts.push(`parallelism=${flow.parallelism}`);
  if (flow.rate !== undefined) parts.push(`rate=${flow.rate}`, `period=${flow.period ?? 1}s`);
  return parts.join(", ");
}
