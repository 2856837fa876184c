/** The stand-in alone: `node dev/workos/main.ts --port 4010`. */
import { parseArgs } from "node:util";
import { AuditError } from "../../shared/errors.ts";
import { startWorkos } from "./server.ts";
import type { WorkosOptions } from "./types.ts";

const USAGE = "usage: main.ts [--port n] [--api-key key] [--path file] [--organization id]… [--strict-schemas]";

try {
  const standIn = await startWorkos(optionsFrom(process.argv.slice(2)));
  // Registered before the line that tells others that the stand-in is ready, because they may end it at once.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void standIn.stop());
  console.log(`workos stand-in on ${standIn.url}`);
} catch (error) {
  console.error(error instanceof AuditError ? `${error.code}: ${error.message}` : error);
  process.exitCode = error instanceof AuditError && error.code === "invalid_option" ? 2 : 1;
}

function optionsFrom(args: string[]): WorkosOptions {
  try {
    const { values } = parseArgs({
      args,
      options: {
        port: { type: "string", default: "4010" },
        "api-key": { type: "string" },
        path: { type: "string" },
        organization: { type: "string", multiple: true },
        "strict-schemas": { type: "boolean", default: false },
      },
    });
    const port = Number(values.port);
    if (!/^\d+$/.test(values.port) || port > 65_535) throw new TypeError('"--port" must be a number from 0 to 65535');
    return {
      port,
      strictSchemas: values["strict-schemas"],
      organizations: values.organization,
      apiKey: values["api-key"],
      path: values.path,
    };
  } catch (error) {
    throw new AuditError("invalid_option", `${(error as Error).message} (${USAGE})`, { cause: error });
  }
}
