// Loaded before our own tasks; decides how a task ends. An expected error that nobody caught becomes one line instead of a stack. A
// signal that arrives twice (from the terminal or a process group, and forwarded by npm or by us) counts once.
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
 * Runs the default action, except right after the task's own handler has run: a handler made with `once` is gone by then, and the
 * second copy of the signal would end the task while it stops.
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
