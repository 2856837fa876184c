/** Parses the parts of an `x-audit`: checks the shape of each, and reports faults instead of throwing. */
import type { Selector } from "./selector.ts";

/** Where the readers of one plan report faults, and what they may read. */
export interface PlanReader {
  /** Reports a fault: the field, and a clause about it. */
  wrong(field: string, clause: string): void;
  /** Receives every selector. */
  readonly selectors: Selector[];
  readonly redact?: readonly string[] | undefined;
  /** True where `$item` exists. */
  readonly hasItem: boolean;
}

export type Fields = Readonly<Record<string, unknown>>;

/**
 * Returns the value as an object, empty for any other value. Reports a value that is not an object, and every name that is not
 * `known`.
 */
export function readObject(reader: PlanReader, field: string, given: unknown, known?: readonly string[]): Fields {
  const isObject = typeof given === "object" && !Array.isArray(given);
  if (given !== undefined && !isObject) reader.wrong(field, "must be an object");
  const fields = isObject ? { ...given } : {};
  for (const name of Object.keys(fields)) {
    if (known && !known.includes(name)) reader.wrong(`${field}.${name}`, "is not known");
  }
  return fields;
}

/** Reads each item of a list; `at` is the item's field. Reports a value that is not a list and returns undefined. */
export function readList<T>(
  reader: PlanReader,
  field: string,
  given: unknown,
  read: (item: unknown, at: string) => readonly T[],
): readonly T[] | undefined {
  if (Array.isArray(given)) return given.flatMap((item, i) => read(item, `${field}.${i}`));
  reader.wrong(field, "must be a list");
  return undefined;
}

/** Returns the value if it is one of `names`; reports any other value except undefined. */
export function readName<T extends string>(
  reader: PlanReader,
  field: string,
  given: unknown,
  names: readonly T[],
): T | undefined {
  const found = names.find((name) => name === given);
  if (given !== undefined && !found) reader.wrong(field, `must be one of ${names.join(", ")}`);
  return found;
}
