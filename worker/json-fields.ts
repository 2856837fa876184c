/** Fields of a JSON answer. */

/** Returns a time as ISO 8601 in UTC with milliseconds; null stays null. */
export function isoTime<T extends number | null>(ms: T): T extends null ? null : string {
  type Text = T extends null ? null : string;
  return (ms === null ? null : new Date(ms).toISOString()) as Text;
}

/** Leaves out the fields that are null. */
export function withoutNulls(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
