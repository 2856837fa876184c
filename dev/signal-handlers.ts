/** Stops the stack on SIGINT and SIGTERM, so that no workerd is left behind. */
import { constants } from "node:os";
import type { Stack } from "./stack.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Exits with `exitCode`, or else 128 + the signal's number, once everything has stopped. The answer takes the handlers away
 * again; where a signal has come, it never resolves, because what fails while the parts stop is no news.
 */
export function stopOnSignal(stack: Pick<Stack, "stop">, exitCode?: number): () => Promise<void> {
  let ending: Promise<void> | undefined;
  const onSignal = (signal: (typeof SIGNALS)[number]) => {
    ending ??= stack.stop().finally(() => process.exit(exitCode ?? 128 + constants.signals[signal]));
  };
  // Listeners until the end: the parts end the process themselves where nobody listens.
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return async () => {
    await ending;
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
