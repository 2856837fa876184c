/** The filters of the dead letters: the query of an address is the query of `GET /api/dead-letters`. Pure. */

/** What a page of the list adds to the filters by itself. */
const OWN = new Set(["limit", "cursor", "whole", "reveal", "group_by"]);

/** The filters of an address as a query, in an order that does not depend on how they were chosen. */
export function filtersOf(query: URLSearchParams): URLSearchParams {
  const kept = [...query].filter(([name, value]) => !OWN.has(name) && value !== "");
  return new URLSearchParams(kept.toSorted(([left], [right]) => left.localeCompare(right)));
}

/** A query with one more value; an empty one takes the filter out. */
export function withFilter(query: URLSearchParams, name: string, value: string): URLSearchParams {
  const changed = new URLSearchParams(query);
  if (value === "") changed.delete(name);
  else changed.set(name, value);
  return changed;
}

/** What a replay is asked to send. */
export type Selection =
  | { readonly event_ids: readonly string[] }
  | { readonly filter: Readonly<Record<string, unknown>> }
  | { readonly all: true };

/** The selection of a replay that matches the same dead letters; only open ones can be sent. */
export function selectionOf(filters: URLSearchParams): Selection {
  const entries = [...filters]
    .filter(([name]) => name !== "state")
    .map(([name, value]) => [name, filterValue(name, value)]);
  return entries.length === 0 ? { all: true } : { filter: Object.fromEntries(entries) };
}

function filterValue(name: string, value: string): unknown {
  if (name === "class") return value.split(",");
  return name === "status" && value !== "none" ? Number(value) : value;
}

/** Returns true if the filters can match an open dead letter: one that may be sent or discarded. */
export function matchesOpen(filters: URLSearchParams): boolean {
  const states = filters.get("state");
  return states === null || states.split(",").includes("open");
}

/** The filter that matches the dead letters of a group; undefined if none can. */
export function groupFilter(groupBy: string, value: string | number | null): string | undefined {
  if (value !== null) return String(value);
  return groupBy === "status" ? "none" : undefined;
}

/** An ISO time as a field of the type `datetime-local` holds it, in local time. */
export function toLocalField(iso: string | null): string {
  const time = iso === null ? Number.NaN : Date.parse(iso);
  if (Number.isNaN(time)) return "";
  return new Date(time - new Date(time).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The value of a field of the type `datetime-local` as an ISO time. */
export function fromLocalField(value: string): string {
  return value === "" ? "" : new Date(value).toISOString();
}
