/** An event that nobody has tried: taken from a message that waits at QStash, which delivers the rest of it later as usual. */
import type { AuditRecord } from "../../shared/record.ts";
import { claimOf } from "../ledger/claim.ts";
import type { LedgerEntry, LedgerPort, WaitingEvent } from "../ledger/types.ts";
import { decodeMessage } from "../message/decode.ts";
import type { Prepared } from "../prepare.ts";

interface UntriedPorts {
  readonly now: () => number;
  /** Bodies of messages that wait, newest first. */
  readonly bodies: () => Promise<readonly Uint8Array[]>;
  readonly lookup: (ids: readonly string[]) => Promise<ReadonlyMap<string, LedgerEntry>>;
  readonly prepare: (records: readonly AuditRecord[]) => Promise<readonly Prepared[]>;
  readonly ledger: Pick<LedgerPort, "claim">;
}

/**
 * Claims one record that the ledger does not know, as its message's own delivery would. Returns undefined if no such record waits.
 * An intent or a watchdog's record is never taken: its outcome may come before its time.
 */
export async function claimUntried(lease: string, ports: UntriedPorts): Promise<WaitingEvent | undefined> {
  const records = (await ports.bodies()).flatMap(outcomesIn);
  const known = await ports.lookup(records.map(({ id }) => id));
  for (const record of records.filter(({ id }) => !known.has(id))) {
    const [prepared] = await ports.prepare([record]);
    if (prepared?.kind !== "ready") continue;
    const [grant] = await ports.ledger.claim(lease, [claimOf(record, prepared.body)], ports.now());
    if (grant?.kind === "send") return { id: grant.id, key: grant.key, body: grant.body ?? prepared.body };
  }
  return undefined;
}

function outcomesIn(body: Uint8Array): readonly AuditRecord[] {
  const decoded = decodeMessage(body);
  if (decoded.kind !== "message") return [];
  return decoded.records.filter(({ stage, replay }) => stage === "outcome" && replay === undefined);
}
