/** The build of the worker; `/health` shows it. */

/** Set by `worker/build.ts`. Absent when a test runs the sources directly. */
declare const AUDIT_VERSION: string | undefined;
declare const AUDIT_COMMIT: string | undefined;

/** The version and the commit that a build came from. `commit` is a short hash, or "unknown" if it was built outside of Git. */
export const BUILD = {
  version: typeof AUDIT_VERSION === "undefined" ? "development" : AUDIT_VERSION,
  commit: typeof AUDIT_COMMIT === "undefined" ? "unknown" : AUDIT_COMMIT,
};
