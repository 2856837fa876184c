/** The fields of `T` that may be undefined become optional, so that an absent field is never one that holds undefined. */
export type Compact<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Leaves out the fields that are undefined, so that equal records are equal as values too. */
export function compact<T extends object>(value: T): Compact<T> {
  const kept: Record<string, unknown> = {};
  // A loop, as every record passes here: the same with entries takes three times as long.
  for (const key in value) if (value[key] !== undefined) kept[key] = value[key];
  return kept as Compact<T>;
}
