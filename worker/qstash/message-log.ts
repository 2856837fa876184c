/**
 * QStash's log of messages: whether any of ours went through a flow-control key, and what they hold.
 * https://upstash.com/docs/qstash/api/events/list
 */
import * as z from "zod/mini";
import { fromBase64 } from "../../shared/bytes.ts";
import { QSTASH_LABEL } from "../../shared/publish-headers.ts";
import type { Settings } from "../variables.ts";
import { isWorkerUrl, type WorkerUrlSettings } from "../worker-url.ts";
import { qstashRequest, type Fetch } from "./request.ts";

/** Newest entries that are looked at. Our choice. */
const LOOKED_AT = 20;

const text = z.optional(z.string());
const Page = z.looseObject({
  events: z.array(z.looseObject({ url: text, messageId: text, state: text, body: text })),
});
type LogEntry = z.infer<typeof Page>["events"][number];

type LogSettings = WorkerUrlSettings & Pick<Settings, "QSTASH_URL" | "QSTASH_TOKEN">;

/** Returns true where messages with our label and a URL of this worker went through the key. Never throws. */
export async function hasOwnMessages(settings: LogSettings, fetcher: Fetch, key: string): Promise<boolean> {
  return (await ownEntries(settings, fetcher, [key])).length > 0;
}

/**
 * Returns the bodies of messages of ours that were published with these keys and never delivered, newest first. The log can lag and
 * tells only of its newest entries, so there may be more. Never throws.
 */
export async function waitingBodies(
  settings: LogSettings,
  fetcher: Fetch,
  keys: readonly string[],
): Promise<readonly Uint8Array[]> {
  const newest = new Map<string, LogEntry>();
  for (const entry of await ownEntries(settings, fetcher, keys)) {
    if (entry.messageId !== undefined && !newest.has(entry.messageId)) newest.set(entry.messageId, entry);
  }
  const waiting = [...newest.values()].filter(({ state }) => state === "CREATED");
  return waiting.flatMap(({ body }) => fromBase64(body ?? "") ?? []);
}

/** The newest entries with our label and a URL of this worker, newest first; none where QStash does not answer. */
async function ownEntries(
  settings: LogSettings,
  fetcher: Fetch,
  keys: readonly string[],
): Promise<readonly LogEntry[]> {
  const query = new URLSearchParams({ label: QSTASH_LABEL, count: String(LOOKED_AT) });
  for (const key of keys) query.append("flowControlKey", key);
  try {
    const response = await qstashRequest(settings, fetcher, `/v2/events?${query.toString()}`);
    if (!response.ok) {
      await response.body?.cancel();
      return [];
    }
    const { events } = Page.parse(await response.json());
    return events.filter(({ url }) => isWorkerUrl(url, "/deliver", settings));
  } catch {
    return [];
  }
}
