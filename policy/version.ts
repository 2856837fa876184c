/** The version that records carry; a test holds it equal to the package's. */
export const POLICY_VERSION = "0.2.0";
