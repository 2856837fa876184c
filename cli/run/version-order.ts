/** Compares versions such as 0.2.0. Pure. */

/**
 * Returns a negative number if `one` is older than `other`, 0 if both are the same release. Ignores what follows a hyphen.
 *
 * @example
 * versionOrder("0.2.0", "0.10.0"); // negative
 * versionOrder("0.2.0-rc.1", "0.2.0"); // 0
 */
export function versionOrder(one: string, other: string): number {
  const [a, b] = [numbersOf(one), numbersOf(other)];
  const index = a.findIndex((number, at) => number !== b[at]);
  return index < 0 ? 0 : (a[index] ?? 0) - (b[index] ?? 0);
}

function numbersOf(version: string): readonly number[] {
  const [core = ""] = version.split("-", 1);
  return [0, 1, 2].map((at) => Number(core.split(".")[at]) || 0);
}
