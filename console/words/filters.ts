/** The filters of the dead letters: the query of an address is the query of `GET /api/dead-letters`. Pure. */

/** Parameters that a page of the list adds to the filters. */
const OWN = new Set(["limit", "cursor", "whole", "reveal", "group_by"]);

/** Returns the filters of an address as a query, in an order that does not depend on the order of choosing. */
export function filtersOf(query: URLSearchParams): URLSearchParams {
  const kept = [...query].filter(([name, value]) => !OWN.has(name) && value !== "");
  return new URLSearchParams(kept.toSorted(([left], [right]) => left.localeCompare(right)));
}

/** Returns a query with one more value; an empty value removes the filter. */
export function withFilter(query: URLSearchParams, name: string, value: string): URLSearchParams {
  const changed = new URLSearchParams(query);
  if (value === "") changed.delete(name);
  else changed.set(name, value);
  return changed;
}

/** The selection of a replay. */
export type Selection =
  | { readonly event_ids: readonly string[] }
  | { readonly filter: Readonly<Record<string, unknown>> }
  | { readonly all: true };

/** The selection of a replay that matches the same dead letters; it includes only open ones. */
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

/** Returns true if the filters can match an open dead letter, which can be sent or discarded. */
export function matchesOpen(filters: URLSearchParams): boolean {
  const states = filters.get("state");
  return states === null || states.split(",").includes("open");
}

/** Returns the filter that matches the dead letters of a group; undefined if none can. */
export function groupFilter(groupBy: string, value: string | number | null): string | undefined {
  if (value !== null) return String(value);
  return groupBy === "status" ? "none" : undefined;
}

/** Converts an ISO time to the value of a `datetime-local` field, in local time. */
export function toLocalField(iso: string | null): string {
  const time = iso === null ? Number.NaN : Date.parse(iso);
  if (Number.isNaN(time)) return "";
  return new Date(time - new Date(time).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Converts the value of a `datetime-local` field to an ISO time. */
export function fromLocalField(value: string): string {
  return value === "" ? "" : new Date(value).toISOString();
}
