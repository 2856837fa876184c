/**
 * QStash's log of messages: whether any of our messages used a flow-control key, and their bodies.
 * https://upstash.com/docs/qstash/api/events/list
 */
import * as z from "zod/mini";
import { fromBase64 } from "../../shared/bytes.ts";
import { QSTASH_LABEL } from "../../shared/qstash-headers.ts";
import type { Settings } from "../variables.ts";
import { isWorkerUrl, type WorkerUrlSettings } from "../worker-url.ts";
import { qstashRequest, type Fetch } from "./request.ts";

/** Entries of one page. Our choice. */
const PAGE_ENTRIES = 20;
/** Pages per read. Our choice. */
const PAGES_MAX = 5;

const text = z.optional(z.string());
const Page = z.looseObject({
  cursor: text,
  events: z.array(z.looseObject({ url: text, messageId: text, state: text, body: text })),
});

interface LogPage {
  readonly entries: z.infer<typeof Page>["events"];
  /** Absent on the last page. */
  readonly cursor?: string | undefined;
}

type LogSettings = WorkerUrlSettings & Pick<Settings, "QSTASH_URL" | "QSTASH_TOKEN">;

/** Returns true if messages with our label and a URL of this worker used the key. Never throws. */
export async function hasOwnMessages(settings: LogSettings, fetcher: Fetch, key: string): Promise<boolean> {
  return (await ownEntries(settings, fetcher, [key])).entries.length > 0;
}

/**
 * Yields the bodies of our messages that were published with these keys and never delivered, newest first. Reads the next page of
 * the log only when needed. The log can lag and only its newest entries are read, so there may be more. Never throws.
 */
export async function* waitingBodies(
  settings: LogSettings,
  fetcher: Fetch,
  keys: readonly string[],
): AsyncGenerator<Uint8Array> {
  const seen = new Set<string>();
  let cursor: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const page: LogPage = await ownEntries(settings, fetcher, keys, cursor);
    for (const { messageId, state, body } of page.entries) {
      // The first entry of a message is its newest.
      if (messageId === undefined || seen.has(messageId)) continue;
      seen.add(messageId);
      const bytes = state === "CREATED" ? fromBase64(body ?? "") : undefined;
      if (bytes) yield bytes;
    }
    cursor = page.cursor;
    if (cursor === undefined) return;
  }
}

/** The newest entries with our label and a URL of this worker, newest first; empty if QStash does not answer. */
async function ownEntries(
  settings: LogSettings,
  fetcher: Fetch,
  keys: readonly string[],
  cursor?: string,
): Promise<LogPage> {
  const query = new URLSearchParams({ label: QSTASH_LABEL, count: String(PAGE_ENTRIES) });
  for (const key of keys) query.append("flowControlKey", key);
  if (cursor !== undefined) query.set("cursor", cursor);
  try {
    const response = await qstashRequest(settings, fetcher, `/v2/events?${query.toString()}`);
    if (!response.ok) {
      await response.body?.cancel();
      return { entries: [] };
    }
    const { events, cursor: next } = Page.parse(await response.json());
    return { entries: events.filter(({ url }) => isWorkerUrl(url, "/deliver", settings)), cursor: next || undefined };
  } catch {
    return { entries: [] };
  }
}
