import { createHash } from "node:crypto";
import type { App } from "./app.ts";
import { ApiError } from "./errors.ts";
import { checkUrl } from "./options.ts";
import { insertMessage, type NewMessage } from "./store/messages.ts";
import { findQueue, saveQueue } from "./store/queues.ts";

export interface Accepted {
  messageId: string;
  deduplicated?: true;
}

/** Checks everything in a message except its headers; throws an {@link ApiError}. */
export function check(app: App, message: NewMessage): void {
  checkUrl(message.url, "invalid destination url");
  if (message.queueName) checkQueueName(message.queueName);
  if (message.body.byteLength > app.maxMessageBytes) {
    throw new ApiError(413, `message is larger than the limit of ${app.maxMessageBytes} bytes`);
  }
}

/** Checks a queue's name; throws an {@link ApiError} 400. */
export function checkQueueName(name: string): void {
  if (!/^[\w.-]+$/.test(name)) {
    throw new ApiError(400, "queue name can only contain alphanumeric characters, hyphens, periods, and underscores");
  }
}

/** Checks a URL group's name; throws an {@link ApiError} 400. */
export function checkUrlGroupName(name: string): void {
  if (!isUrlGroupName(name)) {
    throw new ApiError(
      400,
      "url group name can only contain alphanumeric characters, hyphens, periods, and underscores",
    );
  }
}

/** Returns true if a destination may be the name of a URL group, which a URL never is. */
export function isUrlGroupName(destination: string): boolean {
  return /^[\w.-]+$/.test(destination);
}

/** Accepts a checked message, or returns the id of the one it duplicates. Call it inside a write. */
export function accept(app: App, message: NewMessage): Accepted {
  const { database } = app;
  const now = app.clock.now();
  const key = deduplicationKey(message);
  if (key !== undefined) {
    const sql = "SELECT message_id FROM deduplication WHERE id = ? AND expires_at > ?";
    const first = database.one<{ message_id: string }>(sql, key, now);
    if (first !== undefined) return { messageId: first.message_id, deduplicated: true };
  }
  if (message.queueName && !findQueue(database, message.queueName)) saveQueue(database, message.queueName, {}, now);
  const { id, lane } = insertMessage(database, message, now);
  if (message.options.flowControl !== undefined) app.flowKeys.observe(message.options.flowControl);
  if (key !== undefined) {
    database.run(
      "INSERT OR REPLACE INTO deduplication (id, message_id, expires_at) VALUES (?, ?, ?)",
      key,
      id,
      now + app.dedupWindowMs,
    );
  }
  app.lanes.add(lane);
  return { messageId: id };
}

function deduplicationKey({ options, url, body, queueName, urlGroup }: NewMessage): string | undefined {
  if (options.deduplicationId !== undefined) {
    // The endpoints of a URL group share the publish and its id, and each of them gets the message once.
    return `id:${options.deduplicationId}${urlGroup === undefined ? "" : `:${urlGroup.name}:${url}`}`;
  }
  if (options.contentBasedDeduplication !== true) return undefined;
  const hash = createHash("sha256")
    .update(JSON.stringify([url, queueName ?? "", options.header]))
    .update(body);
  return `content:${hash.digest("hex")}`;
}
