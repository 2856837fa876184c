/** A message's body as the policy publishes it: plain where it holds one record, packed where it holds several. */
import { deflateRawSync } from "node:zlib";
import { packMessage } from "../../../shared/packed.ts";
import type { AuditRecord } from "../../../shared/record.ts";
import { encodeMessage } from "../../../shared/wire.ts";

export async function publishedBody(records: readonly AuditRecord[]): Promise<string> {
  const message = encodeMessage(records);
  return records.length > 1 ? packMessage(message, async (text) => deflateRawSync(text)) : JSON.stringify(message);
}
