/** Stops the stack on SIGINT and SIGTERM, so that no workerd is left over. */
import { constants } from "node:os";
import type { Stack } from "./stack.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Exits with `exitCode`, or 128 + the signal's number, once everything has stopped. The returned function removes the handlers;
 * after a signal it never resolves, because failures while the parts stop do not matter.
 */
export function stopOnSignal(stack: Pick<Stack, "stop">, exitCode?: number): () => Promise<void> {
  let ending: Promise<void> | undefined;
  const onSignal = (signal: (typeof SIGNALS)[number]) => {
    ending ??= stack.stop().finally(() => process.exit(exitCode ?? 128 + constants.signals[signal]));
  };
  // Listen until the end: the parts end the process themselves if nobody listens.
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return async () => {
    await ending;
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
