/** The file. */

/**
 * The first.
 * Two lines.
 */
export const ONE = 1;

/** Members. */
export const OBJECT = {
  /** About a. */
  a: ONE,
  /** About b. */
  "b-c": 2,
} as const;

export type Union =
  /** An x. */
  | "x"
  /** A y. */
  | "y";

export type Bare = "x" | "y";
