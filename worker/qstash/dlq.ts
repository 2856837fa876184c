/** QStash's own dead-letter queue: one page, and removal by id. https://upstash.com/docs/qstash/api/dlq/listMessages */
import * as z from "zod/mini";
import { QSTASH_LABEL } from "../../shared/qstash-headers.ts";
import type { Settings } from "../variables.ts";
import { qstashRequest, type Fetch } from "./request.ts";

/** Entries per page: QStash allows up to 100, and 50 of our largest messages fit into a worker's memory. Our choice. */
const PAGE_SIZE = 50;
/** Pause after a 429 that does not say when to come back. Our choice. */
const RATE_LIMIT_PAUSE_MS = 60_000;
/** Longest pause that we accept from QStash. Our choice. */
const PAUSE_MAX_MS = 3_600_000;

/** A field that only describes a failure: an invalid value is no reason to lose the record. */
// Not `z.catch`, which adds 8 kB of error formatting.
export const described = <T extends z.ZodMiniType>(schema: T) =>
  z.optional(z.transform((value): z.output<T> | undefined => schema.safeParse(value).data));

const Entry = z.looseObject({
  dlqId: z.string().check(z.minLength(1)),
  messageId: described(z.string()),
  url: z.string(),
  body: described(z.string()),
  bodyBase64: described(z.string()),
  responseStatus: described(z.number()),
  responseBody: described(z.string()),
  createdAt: described(z.number()),
  maxRetries: described(z.number()),
});
export type DlqEntry = z.infer<typeof Entry>;

const Page = z.looseObject({
  messages: z.union([z.array(z.unknown()), z.literal(null)]),
  cursor: described(z.string()),
});

type DlqPage =
  | { readonly kind: "page"; readonly entries: readonly DlqEntry[]; readonly cursor: string | undefined }
  /** 429: come back at this time, ms since the epoch. */
  | { readonly kind: "rate_limited"; readonly untilMs: number }
  | { readonly kind: "failed"; readonly status: number | undefined };

type QstashSettings = Pick<Settings, "QSTASH_URL" | "QSTASH_TOKEN">;

/** Reads one page of the dead letters with our label; leaves out unreadable entries. Never throws. */
export async function listDlq(
  settings: QstashSettings,
  fetcher: Fetch,
  cursor: string | undefined,
  nowMs: number,
): Promise<DlqPage> {
  const query = new URLSearchParams({ count: String(PAGE_SIZE), label: QSTASH_LABEL, ...(cursor ? { cursor } : {}) });
  try {
    const response = await qstashRequest(settings, fetcher, `/v2/dlq?${query.toString()}`);
    if (response.status === 429) return { kind: "rate_limited", untilMs: comeBackAt(response.headers, nowMs) };
    if (response.status !== 200) return { kind: "failed", status: response.status };
    const page = Page.parse(await response.json());
    const entries = (page.messages ?? []).map((message) => Entry.safeParse(message)).flatMap(({ data }) => data ?? []);
    return { kind: "page", entries, cursor: page.cursor || undefined };
  } catch {
    return { kind: "failed", status: undefined };
  }
}

/** Removes entries by id; true where QStash confirmed, also for those that were not there. Never throws, never without ids. */
export async function removeFromDlq(
  settings: QstashSettings,
  fetcher: Fetch,
  dlqIds: readonly string[],
): Promise<boolean> {
  // Without a filter this request would empty the whole queue, other people's messages too.
  if (dlqIds.length === 0) return true;
  const query = new URLSearchParams(dlqIds.map((id): [string, string] => ["dlqIds", id]));
  try {
    const response = await qstashRequest(settings, fetcher, `/v2/dlq?${query.toString()}`, { method: "DELETE" });
    await response.body?.cancel();
    return response.ok || response.status === 404;
  } catch {
    return false;
  }
}

/**
 * Returns when a rate limit ends. QStash documents `Burst-RateLimit-Reset` and `RateLimit-Reset` without saying whether they hold
 * seconds from now or a Unix time, so both are supported. https://upstash.com/docs/qstash/api/api-ratelimiting
 */
export function comeBackAt(headers: Headers, nowMs: number): number {
  const names = ["burst-ratelimit-reset", "ratelimit-reset", "retry-after"];
  const value = Number(names.map((name) => headers.get(name)).find((text) => text !== null) ?? Number.NaN);
  if (!Number.isFinite(value) || value < 0) return nowMs + RATE_LIMIT_PAUSE_MS;
  const atMs = value > 1e12 ? value : value > 1e9 ? value * 1_000 : nowMs + value * 1_000;
  return Math.min(Math.max(atMs, nowMs), nowMs + PAUSE_MAX_MS);
}
