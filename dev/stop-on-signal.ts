/** Stops the stack on SIGINT and SIGTERM, so that no workerd is left behind. */
import { constants } from "node:os";
import type { Stack } from "./stack.ts";

/**
 * Exits with `exitCode`, or else 128 + the signal's number, once everything has stopped; the answer takes the handlers
 * away again.
 */
export function stopOnSignal(stack: Pick<Stack, "stop">, exitCode?: number): () => void {
  const handlers = (["SIGINT", "SIGTERM"] as const).map((signal) => {
    const handler = () => void stack.stop().finally(() => process.exit(exitCode ?? 128 + constants.signals[signal]));
    // Stays a listener until the end: the parts end the process themselves where nobody listens.
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => handlers.forEach((remove) => remove());
}
