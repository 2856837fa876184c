// Loaded before our own tasks: how a task ends. An expected error that nobody caught is one line instead of a stack, and a
// signal that arrives twice at once (from the terminal or a process group, and passed on by npm or by us) is one signal.
import { constants } from "node:os";

const SAME_SIGNAL_MS = 1000;

process.on("uncaughtException", (error) => {
  console.error(lineOf(error) ?? error);
  process.exit(1);
});

for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]))
  process.on(signal, endUnlessHandled(signal));

/** @param {unknown} error */
function lineOf(error) {
  if (!(error instanceof Error)) return undefined;
  if (error.name === "AuditError")
    return `error[${/** @type {Error & { code: string }} */ (error).code}]: ${error.message}`;
  const { code, port } = /** @type {NodeJS.ErrnoException & { port?: number }} */ (error);
  if (code !== "EADDRINUSE") return undefined;
  return `error[port_taken]: port ${port} is in use; stop what listens there and run the command again`;
}

/**
 * The default action, except right after the task's own handler has run: one made with `once` is gone by then, and the
 * second copy of the signal would end the task in the middle of its stop.
 * @param {"SIGINT" | "SIGTERM" | "SIGHUP"} signal
 */
function endUnlessHandled(signal) {
  let handledAtMs = -Infinity;
  return () => {
    const nowMs = performance.now();
    if (process.listenerCount(signal) > 1) handledAtMs = nowMs;
    else if (nowMs - handledAtMs > SAME_SIGNAL_MS) process.exit(128 + constants.signals[signal]);
  };
}
