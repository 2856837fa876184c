/** The leaf of an event: its hash in the evidence. */
import { createHash } from "node:crypto";
import { toHex } from "../../shared/bytes.ts";
import { canonicalJson } from "../../shared/evidence/canonical-json.ts";
import { leafHash, type Sha256 } from "../../shared/evidence/merkle.ts";
import type { EventBody } from "../../shared/event.ts";
import type { Leaf } from "./types.ts";

/** SHA-256 by the platform. */
export const sha256: Sha256 = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

const encoder = new TextEncoder();

/**
 * Returns the leaf of the bytes that WorkOS accepted. Bytes frozen by an earlier release may not be canonical: then the leaf is
 * that of their canonical form, which anyone can rebuild from an export.
 */
export function leafOf(body: string): Leaf {
  const event = JSON.parse(body) as EventBody;
  return {
    leaf: toHex(leafHash(sha256, encoder.encode(canonicalJson(event)))),
    organization: event.organization_id,
  };
}
