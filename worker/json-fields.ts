/** Fields of a JSON answer. */

/** Formats a time as ISO 8601 in UTC with milliseconds; null stays null. */
export function isoTime<T extends number | null>(ms: T): T extends null ? null : string {
  type Text = T extends null ? null : string;
  return (ms === null ? null : new Date(ms).toISOString()) as Text;
}

/** The type without the fields that are null. */
type WithoutNulls<T> = { [K in keyof T as null extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as null extends T[K] ? K : never]?: Exclude<T[K], null>;
};

/** Leaves out the fields that are null. */
export function withoutNulls<T extends object>(fields: T): WithoutNulls<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as WithoutNulls<T>;
}
