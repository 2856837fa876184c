/** The build of the worker; `/health` shows it. */

/** The version and the commit that a build came from. */
export interface Build {
  readonly version: string;
  /** Short hash of the commit; "unknown" if it was built outside of Git. */
  readonly commit: string;
}

/** Set by `worker/build.ts`. Absent when a test runs the sources directly. */
declare const AUDIT_BUILD: Build | undefined;

export const BUILD: Build =
  typeof AUDIT_BUILD === "undefined" ? { version: "development", commit: "unknown" } : AUDIT_BUILD;
