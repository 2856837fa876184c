import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import type { Headers } from "../options.ts";
import { DEFAULT_RETRIES, type Message } from "../store/messages.ts";

/** A message as QStash lists it; redacted parts are replaced by their hash. */
export function messageShape(message: Message): Record<string, unknown> {
  const { options } = message;
  const flow = options.flowControl;
  return {
    messageId: message.id,
    url: message.url,
    ...groupShape(message),
    method: options.method ?? "POST",
    header: shownHeader(message),
    ...bodyShape("body", shownBody(message)),
    maxRetries: options.retries ?? DEFAULT_RETRIES,
    notBefore: message.notBefore,
    createdAt: message.createdAt,
    callback: options.callback?.url,
    failureCallback: options.failureCallback?.url,
    queueName: message.queueName ?? undefined,
    callerIP: message.callerIp,
    label: options.labels?.[0],
    labels: options.labels,
    flowControlKey: flow?.key,
    parallelism: flow?.parallelism,
    rate: flow?.rate,
    period: flow?.period,
    retryDelayExpression: options.retryDelay,
  };
}

/** The URL group and the endpoint of a message, if it was published to a group. */
export function groupShape({ urlGroup }: Message): Record<string, string | undefined> {
  return urlGroup === undefined ? {} : { topicName: urlGroup.name, endpointName: urlGroup.endpointName };
}

/** A body under its own name when it is text, otherwise as base64 under `…Base64`. */
export function bodyShape(name: string, body: Uint8Array): Record<string, string> {
  if (body.byteLength === 0) return {};
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return isUtf8(bytes) ? { [name]: bytes.toString() } : { [`${name}Base64`]: bytes.toString("base64") };
}

export function shownHeader({ options }: Message): Headers {
  const hidden = options.redact?.headers ?? [];
  return Object.fromEntries(
    Object.entries(options.header).map(([name, values]) =>
      hidden === "all" || hidden.includes(name) ? [name, values.map(redacted)] : [name, values],
    ),
  );
}

export function shownBody({ options, body }: Message): Uint8Array {
  return options.redact?.body ? Buffer.from(redacted(body)) : body;
}

function redacted(value: string | Uint8Array): string {
  return `REDACTED:${createHash("sha256").update(value).digest("hex")}`;
}
