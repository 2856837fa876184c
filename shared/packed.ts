/**
 * The packed form of a message: `d` holds its records as JSON, deflated (RFC 1951), in base64url. `records` keeps only the fields
 * that are read in transit: `id` and stage `k`.
 */
import { toBase64Url } from "./bytes.ts";
import type { WireMessage } from "./wire.ts";

export type Deflate = (text: string) => Promise<Uint8Array>;

/** Returns a message's JSON in the packed form, at most a third longer than the plain form. Rejects if `deflate` rejects. */
export async function packMessage({ v, g, records }: WireMessage, deflate: Deflate): Promise<string> {
  const inside = JSON.stringify({ g, records: records.map((record) => Object.assign({}, record, { id: undefined })) });
  const d = toBase64Url(await deflate(inside));
  return JSON.stringify({ v, records, d }, ["v", "records", "id", "k", "d"]);
}
