/** Cursor lists, as the published description defines them: `limit`, `before`, `after`, `order`. */
import { json, validationFailed, type Answer } from "./answers.ts";

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;
const ORDERS = new Set(["normal", "desc", "asc"]);

interface Listed {
  readonly id: string;
}

/** Answers one page of `items`, which are in order of creation; a cursor is an item's id. */
export function listAnswer<T extends Listed>(
  items: readonly T[],
  query: URLSearchParams,
  show: (item: T) => unknown,
): Answer {
  const limit = Number(query.get("limit") ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
    return validationFailed([{ code: "invalid", field: "limit" }]);
  const order = query.get("order") ?? "desc";
  if (!ORDERS.has(order)) return validationFailed([{ code: "invalid", field: "order" }]);
  const ordered = order === "asc" ? items : items.toReversed();
  // "normal" is descending with reversed cursors: `before` fetches older records and `after` newer ones.
  const [older, newer] = order === "normal" ? ["before", "after"] : ["after", "before"];
  const window = pick(ordered, query.get(older), query.get(newer), limit);
  if (!window) return validationFailed([{ code: "invalid", field: query.has("after") ? "after" : "before" }]);
  const first = window.from > 0 ? (ordered[window.from]?.id ?? null) : null;
  const last = window.to < ordered.length ? (ordered[window.to - 1]?.id ?? null) : null;
  return json(200, {
    object: "list",
    data: ordered.slice(window.from, window.to).map(show),
    list_metadata: order === "normal" ? { before: last, after: first } : { before: first, after: last },
  });
}

/** Returns the half-open range of the page, or undefined if the cursor is not the id of an item. */
function pick(
  ordered: readonly Listed[],
  following: string | null,
  preceding: string | null,
  limit: number,
): { from: number; to: number } | undefined {
  const indexOf = (id: string): number => ordered.findIndex((item) => item.id === id);
  if (following !== null) {
    const at = indexOf(following);
    return at < 0 ? undefined : { from: at + 1, to: Math.min(at + 1 + limit, ordered.length) };
  }
  if (preceding !== null) {
    const at = indexOf(preceding);
    return at < 0 ? undefined : { from: Math.max(at - limit, 0), to: at };
  }
  return { from: 0, to: Math.min(limit, ordered.length) };
}
