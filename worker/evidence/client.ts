/** The client of the evidence log. */
import type { Env } from "../env.ts";
import type { EvidenceLog } from "./evidence-log.ts";

/** The one log of this worker. */
export function evidenceLog(env: Pick<Env, "EVIDENCE_LOG">) {
  return (env.EVIDENCE_LOG as DurableObjectNamespace<EvidenceLog>).getByName("log");
}
