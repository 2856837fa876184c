/** What a delivery or a probe asks the ledger for one record. */
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
    // The gateway counted the record once, and no gateway of this deployment has vouched for an imported one.
    sequence: corrects === undefined && replay?.imported === undefined ? sequence : 0,
    ...(replay && {
      replay: { n: replay.n, mended: !!replay.mended?.length, acceptDuplicates: replay.acceptDuplicates === true },
    }),
  };
}
