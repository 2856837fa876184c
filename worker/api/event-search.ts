/** Parses the query of `GET /api/events`. Throws `invalid_request` naming the parameter. */
import { FOUND_PAGE_MAX, PAGE_DEFAULT } from "../../shared/api.ts";
import type { RequestSearch } from "../ledger/types.ts";
import { decodeCursor } from "./cursor.ts";
import { invalid } from "./parameters.ts";

/** How far back a search by request id goes by default; the ledger has no index on them. Our choice. */
const SEARCH_WINDOW_MS = 24 * 3_600_000;
/** A gateway's clock may be ahead. */
const SKEW_MS = 60_000;

/** A parsed search. */
export function searchOf(query: URLSearchParams, nowMs: number): RequestSearch {
  const requestId = query.get("request_id");
  if (!requestId) throw invalid('"request_id" must be given');
  const untilMs = timeOf(query.get("until")) ?? nowMs + SKEW_MS;
  const sinceMs = timeOf(query.get("since")) ?? Math.max(untilMs - SEARCH_WINDOW_MS, 0);
  if (Number.isNaN(untilMs) || Number.isNaN(sinceMs)) throw invalid('"since" and "until" must be ISO 8601 times');
  const limit = Number(query.get("limit") ?? PAGE_DEFAULT);
  if (!Number.isInteger(limit) || limit < 1 || limit > FOUND_PAGE_MAX) {
    throw invalid(`"limit" must be a whole number from 1 to ${FOUND_PAGE_MAX}`);
  }
  const cursor = query.get("cursor");
  const after = cursor === null ? undefined : decodeCursor(cursor);
  if (cursor !== null && !after) throw invalid('"cursor" must be one that this route returned');
  return { requestId, sinceMs, untilMs, afterId: after?.[1] ?? "", limit };
}

/** Returns NaN if the text is not a time. */
function timeOf(text: string | null): number | undefined {
  return text === null ? undefined : Date.parse(text);
}
