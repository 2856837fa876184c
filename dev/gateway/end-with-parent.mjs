// Loaded into the gateway's process before Zuplo: it ends with the process that started it, even a killed one, so that no
// workerd is left behind, and takes its folder along.
import { rmSync } from "node:fs";

const folder = process.env["AUDIT_GATEWAY_FOLDER"];
const end = () => process.exit(143);

process.on("SIGTERM", end);
process.on("SIGINT", end);
// Closed by the parent's end.
process.stdin.on("close", end).resume().unref();
process.on("exit", () => {
  // Its bundler may write until it sees that we are gone.
  if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
});
