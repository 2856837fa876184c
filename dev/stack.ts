/** The whole path on one machine, built from these sources, with the example project as its gateway. */
import { startGateway } from "./gateway/gateway.ts";
import { type Stack, type StackOptions, startLocalStack } from "./local-stack.ts";
import { startWorker } from "./worker.ts";

export type { GatewayExtension, Stack } from "./local-stack.ts";

/** Starts the parts in the order in which they need one another; if one fails, those before it are stopped again. */
export function startStack(options: StackOptions = {}): Promise<Stack> {
  return startLocalStack({ startWorker, startGateway }, options);
}
