// Loaded into the gateway's process before Zuplo: ends it together with the process that started it, even if that was killed, so
// that no workerd is left over, and removes its folder.
import { rmSync } from "node:fs";

const folder = process.env["AUDIT_GATEWAY_FOLDER"];
const end = () => process.exit(143);

process.on("SIGTERM", end);
process.on("SIGINT", end);
// Closed when the parent ends.
process.stdin.on("close", end).resume().unref();
process.on("exit", () => {
  // Its bundler may write until it notices that the process is gone.
  if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
});
