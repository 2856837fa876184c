/** Starts a real Zuplo gateway with the policy as its sources are now. */
import { fileURLToPath } from "node:url";
import { cachedPolicyText } from "../../policy/build-cache.ts";
import { type Gateway, type ProjectOptions, startProject } from "./zuplo.ts";

export type { Gateway } from "./zuplo.ts";

export const EXAMPLE_PROJECT = fileURLToPath(new URL("./project/", import.meta.url));

interface GatewayOptions extends Omit<ProjectOptions, "projectDir"> {
  /** Default: the example project. Its `node_modules` are used where they are. */
  readonly projectDir?: string;
}

/** Starts a gateway and waits until it answers. Throws `port_taken`, `not_found` (not installed) or `unavailable`. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const policy = { "modules/audit-log.ts": await cachedPolicyText() };
  return startProject({ projectDir: EXAMPLE_PROJECT, ...options, files: { ...policy, ...options.files } });
}
