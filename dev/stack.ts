/** The whole path on one machine, built from these sources, with the example project as its gateway. */
import { startGateway } from "./gateway/gateway.ts";
import { type Stack, type StackOptions, startLocalStack } from "./local-stack.ts";
import { startWorker } from "./worker.ts";

export type { GatewayExtension, Stack } from "./local-stack.ts";

/** Starts each part after the parts that it needs. If one fails, those already started are stopped. */
export function startStack(options: StackOptions = {}): Promise<Stack> {
  return startLocalStack({ startWorker, startGateway }, options);
}
