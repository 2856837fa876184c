// Loaded before our own tasks: an expected error that nobody caught ends the task as one line instead of a stack.

process.on("uncaughtException", (error) => {
  console.error(lineOf(error) ?? error);
  process.exit(1);
});

/** @param {unknown} error */
function lineOf(error) {
  if (!(error instanceof Error)) return undefined;
  if (error.name === "AuditError")
    return `error[${/** @type {Error & { code: string }} */ (error).code}]: ${error.message}`;
  const { code, port } = /** @type {NodeJS.ErrnoException & { port?: number }} */ (error);
  if (code !== "EADDRINUSE") return undefined;
  return `error[port_taken]: port ${port} is in use; stop what listens there and run the command again`;
}
