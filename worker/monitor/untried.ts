/** An untried event, taken from a message that waits at QStash. QStash delivers the rest of the message later as usual. */
import type { AuditRecord } from "../../shared/record.ts";
import { claimOf } from "../ledger/claim.ts";
import type { LedgerEntry, LedgerPort, WaitingEvent } from "../ledger/types.ts";
import { decodeMessage } from "../message/decoded-message.ts";
import type { PreparedEvent } from "../prepared-event.ts";

interface UntriedPorts {
  readonly now: () => number;
  /** Bodies of messages that wait, newest first. */
  readonly bodies: () => AsyncIterable<Uint8Array>;
  readonly lookup: (ids: readonly string[]) => Promise<ReadonlyMap<string, LedgerEntry>>;
  readonly prepare: (records: readonly AuditRecord[]) => Promise<readonly PreparedEvent[]>;
  readonly ledger: Pick<LedgerPort, "claim">;
}

/**
 * Claims one record that the ledger does not know, as its message's own delivery would. Returns undefined if no such record waits.
 * Never takes an intent or a watchdog's record: its outcome may arrive first.
 */
export async function claimUntried(lease: string, ports: UntriedPorts): Promise<WaitingEvent | undefined> {
  for await (const body of ports.bodies()) {
    const claimed = await claimOneOf(outcomesIn(body), lease, ports);
    if (claimed) return claimed;
  }
  return undefined;
}

async function claimOneOf(
  records: readonly AuditRecord[],
  lease: string,
  { lookup, prepare, ledger, now }: UntriedPorts,
): Promise<WaitingEvent | undefined> {
  const known = await lookup(records.map(({ id }) => id));
  for (const record of records.filter(({ id }) => !known.has(id))) {
    const [prepared] = await prepare([record]);
    if (prepared?.kind !== "ready") continue;
    const [grant] = await ledger.claim(lease, [claimOf(record, prepared.body)], now());
    if (grant?.kind === "send") return { id: grant.id, key: grant.key, body: grant.body ?? prepared.body };
  }
  return undefined;
}

function outcomesIn(body: Uint8Array): readonly AuditRecord[] {
  const decoded = decodeMessage(body);
  if (decoded.kind !== "message") return [];
  return decoded.records.filter(({ stage, replay }) => stage === "outcome" && replay === undefined);
}
