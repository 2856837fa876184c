/** One bounded call to QStash's REST API. https://upstash.com/docs/qstash/api */
import type { Settings } from "../variables.ts";

/** Longest time one call may take. Our choice. */
const QSTASH_TIMEOUT_MS = 10_000;

export type Fetch = typeof fetch;

/** Calls `path` (it starts with `/v2/`) with the token; throws as fetch does when QStash does not answer in 10 s. */
export function qstashRequest(
  settings: Pick<Settings, "QSTASH_URL" | "QSTASH_TOKEN">,
  fetcher: Fetch,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${settings.QSTASH_TOKEN}`);
  return fetcher(`${settings.QSTASH_URL}${path}`, {
    ...init,
    headers,
    redirect: "manual",
    signal: AbortSignal.timeout(QSTASH_TIMEOUT_MS),
  });
}
