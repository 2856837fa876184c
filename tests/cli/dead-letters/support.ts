/** Dead letters in a real worker, and the CLI that speaks to it. */
import type { AuditRecord } from "../../../shared/record.ts";
import { ADMIN_TOKEN, type LocalPath, startLocalPath, until } from "../../worker/support/local-path.ts";
import { recordsOf } from "../../worker/support/records.ts";
import { openTerminal, runCli, startCli } from "../support/run-cli.ts";

export { until } from "../../worker/support/local-path.ts";

export type Deployment = Awaited<ReturnType<typeof deploy>>;

export async function deploy(variables: Record<string, string> = {}) {
  const path: LocalPath = await startLocalPath(variables);
  const env = { AUDIT_WORKER_URL: path.url, AUDIT_ADMIN_TOKEN: ADMIN_TOKEN };
  const letters = async (count: number, fault: object, fields: Partial<AuditRecord>): Promise<readonly string[]> => {
    const records = recordsOf(count, fields);
    path.workos.faults.add(fault);
    for (const record of records) await path.publish([record]);
    await path.queue.idle();
    return records.map(({ id }) => id);
  };
  return {
    ...path,
    env,
    cli: (line: string | readonly string[], input?: string) =>
      runCli(typeof line === "string" ? line.split(" ") : line, { env, ...(input === undefined ? {} : { input }) }),
    start: (line: string) => startCli(line.split(" "), { env }),
    terminal: (line: string) => openTerminal(line.split(" "), { env }),
    /** Records that WorkOS refuses for good; their event ids. */
    async rejected(count: number, fields: Partial<AuditRecord> = {}): Promise<readonly string[]> {
      const fault = { status: 400, body: { code: "invalid_audit_log", message: "no", errors: [] } };
      const ids = await letters(count, fault, fields);
      await until(
        async () => (await path.get("/api/dead-letters?limit=500")).json.dead_letters.length as number,
        (found) => found >= count,
      );
      path.workos.faults.clear();
      return ids;
    },
    /** Records whose every attempt ended without a clear answer, so that WorkOS may hold them. A 503 would open the breaker. */
    async exhausted(count: number, fields: Partial<AuditRecord> = {}): Promise<readonly string[]> {
      const ids = await letters(count, { status: 409, body: { message: "not now" } }, fields);
      await path.exhaust();
      path.workos.faults.clear();
      return ids;
    },
    /** Event ids that WorkOS has stored, in the order of their names; each as often as it is there. */
    stored: () =>
      path.workos
        .events()
        .map(({ event }) => String(event.metadata["event_id"]))
        .toSorted(),
  };
}
