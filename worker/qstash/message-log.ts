/** QStash's log of messages: whether any of ours went through a flow-control key. https://upstash.com/docs/qstash/api/events/list */
import * as z from "zod/mini";
import { QSTASH_LABEL } from "../../shared/publish-headers.ts";
import type { Settings } from "../variables.ts";
import { isWorkerUrl, type WorkerUrlSettings } from "../worker-url.ts";
import { qstashRequest, type Fetch } from "./request.ts";

/** Newest entries that are looked at. Our choice. */
const LOOKED_AT = 20;

const Page = z.looseObject({ events: z.array(z.looseObject({ url: z.optional(z.string()) })) });

type LogSettings = WorkerUrlSettings & Pick<Settings, "QSTASH_URL" | "QSTASH_TOKEN">;

/** Returns true where messages with our label and a URL of this worker went through the key. Never throws. */
export async function hasOwnMessages(settings: LogSettings, fetcher: Fetch, key: string): Promise<boolean> {
  const query = new URLSearchParams({ flowControlKey: key, label: QSTASH_LABEL, count: String(LOOKED_AT) });
  try {
    const response = await qstashRequest(settings, fetcher, `/v2/events?${query.toString()}`);
    if (!response.ok) {
      await response.body?.cancel();
      return false;
    }
    const { events } = Page.parse(await response.json());
    return events.some(({ url }) => isWorkerUrl(url, "/deliver", settings));
  } catch {
    return false;
  }
}
