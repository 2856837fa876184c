/** Quantities as the report shows them, rounded in the same way in every part. */

/** Returns a count with thousands separators, such as `1,000,000`. */
export function count(number: number): string {
  return number.toLocaleString("en-US");
}

/** Returns a duration in seconds, such as `29.6 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** Returns a duration in minutes, such as `7.5 min`. */
export function minutes(ms: number): string {
  return `${(ms / 60_000).toFixed(1)} min`;
}

/** Returns a size in kB of 1,000 bytes, such as `24.1 kB`. */
export function kilobytes(bytes: number): string {
  return `${(bytes / 1e3).toFixed(1)} kB`;
}

/** Returns a size in MB of 1,000,000 bytes: with one decimal, and from 100 MB on without. */
export function megabytes(bytes: number): string {
  const value = bytes / 1e6;
  return `${value.toFixed(value < 100 ? 1 : 0)} MB`;
}
