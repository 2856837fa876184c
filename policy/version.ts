/** The version in records; a test checks that it equals the package's. */
export const POLICY_VERSION = "0.2.0";
