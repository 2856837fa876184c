/** One thing that `init --check` reports. */

export interface Finding {
  /** `drift`: differs from what `init` would write. `wrong`: cannot work. Both fail the check; `warning` and `note` do not. */
  readonly level: "drift" | "wrong" | "warning" | "note";
  /** A file, a route, a variable or an option. */
  readonly subject: string;
  readonly message: string;
}

/** True for a finding that fails the check. */
export function isError({ level }: Pick<Finding, "level">): boolean {
  return level === "drift" || level === "wrong";
}
