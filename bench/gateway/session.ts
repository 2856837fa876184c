/** One gateway with its sink, for the time of one part. */
import { startGateway } from "../../dev/gateway/gateway.ts";
import { AuditError } from "../../shared/errors.ts";
import { workerdProcesses } from "../process-cpu.ts";
import { type Sink, startSink } from "../sink.ts";
import { environmentOf } from "./project.ts";

interface Session {
  readonly url: string;
  readonly sink: Sink;
  /** The workerd processes of the gateway. */
  readonly pids: readonly number[];
}

/** Starts both, runs the work, and stops both. Codes: `unavailable` with the gateway's last lines. */
export async function withGateway<Result>(
  files: Readonly<Record<string, string>>,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const sink = await startSink();
  try {
    const gateway = await startGateway({ env: environmentOf(sink.url), files });
    try {
      return await work({ url: gateway.url, sink, pids: await workerdProcesses() });
    } catch (cause) {
      const last = gateway.logs().trim().split("\n").slice(-5).join(" | ");
      throw new AuditError("unavailable", `the gateway stopped answering; it wrote last: ${last}`, { cause });
    } finally {
      await gateway.stop();
    }
  } finally {
    await sink.stop();
  }
}
