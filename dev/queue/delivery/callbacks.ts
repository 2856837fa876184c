import { canonicalName, type Callback } from "../options.ts";
import { DEFAULT_RETRIES, type Message, type NewMessage } from "../store/messages.ts";
import type { Outcome } from "./sender.ts";

/**
 * Makes the callback message with the result of an attempt (upstash.com/docs/qstash/features/callbacks).
 *
 * A failure callback carries `dlqId`; without an answer the status is 0 and the body is the error's text.
 */
export function callbackMessage(callback: Callback, message: Message, outcome: Outcome, dlqId?: string): NewMessage {
  const { options } = message;
  const body = {
    status: outcome.answer?.status ?? 0,
    header: canonicalHeader(outcome.answer?.header ?? {}),
    body: Buffer.from(outcome.answer?.body ?? outcome.error ?? "").toString("base64"),
    retried: message.retried,
    maxRetries: options.retries ?? DEFAULT_RETRIES,
    ...(dlqId === undefined ? {} : { dlqId }),
    sourceMessageId: message.id,
    url: message.url,
    ...(message.urlGroup ? { topicName: message.urlGroup.name, endpointName: message.urlGroup.endpointName } : {}),
    method: options.method ?? "POST",
    sourceHeader: options.header,
    sourceBody: Buffer.from(message.body).toString("base64"),
    notBefore: message.notBefore,
    createdAt: message.createdAt,
    ...(message.queueName ? { queueName: message.queueName } : {}),
    callerIP: message.callerIp,
  };
  return {
    url: callback.url,
    options: {
      retries: options.retries ?? DEFAULT_RETRIES,
      ...(options.redact?.body ? { redact: { body: true, headers: [] } } : {}),
      ...callback.options,
      header: { "Content-Type": ["application/json"], ...callback.options.header },
    },
    body: Buffer.from(JSON.stringify(body)),
    callerIp: message.callerIp,
  };
}

/** Formats an answer's header as QStash lists it. */
export function canonicalHeader(header: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(header).map(([name, values]) => [canonicalName(name), values]));
}
