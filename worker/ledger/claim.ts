/** What a delivery or a probe sends to the ledger for one record. */
import type { AuditRecord } from "../../shared/record.ts";
import type { Claim } from "./types.ts";

/** Returns the claim of a record whose event has these bytes. */
export function claimOf(record: AuditRecord, body: string): Claim {
  const { id, stage, occurredAtMs, requestId, gateway, sequence, replay, corrects } = record;
  return {
    id,
    stage,
    body,
    occurredAtMs,
    ...(requestId === undefined ? {} : { requestId }),
    isolate: gateway.isolateId,
    // The gateway counted the record once; no gateway of this deployment has counted an imported one.
    sequence: corrects === undefined && replay?.imported === undefined ? sequence : 0,
    ...(replay && {
      replay: { n: replay.n, mended: !!replay.mended?.length, acceptDuplicates: replay.acceptDuplicates === true },
    }),
  };
}
