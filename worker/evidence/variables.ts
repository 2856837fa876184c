/**
 * The variables of the evidence. They are parsed separately, because a missing or malformed one must never stop a delivery.
 * `docs/configuration.md` is generated from the comments here.
 */
import * as z from "zod/mini";
import { fromBase64 } from "../../shared/bytes.ts";
import { isOrigin } from "../../shared/evidence/note.ts";
import { address, secretAddress, webhookKey } from "../variables.ts";

/** An Ed25519 seed. https://www.rfc-editor.org/rfc/rfc8032#section-5.1.5 */
const SEED_BYTES = 32;

export const EvidenceVariables = z.object({
  /** Signs the checkpoints: `evk_` and the base64url of a 32-byte Ed25519 seed, as `audit-forwarder evidence keygen` makes it. Sealing waits for it. */
  AUDIT_EVIDENCE_KEY: z.string().check(
    z.trim(),
    z.refine((text) => seedOf(text) !== undefined),
  ),
  /** Names the log in its checkpoints, and its key. By default `<host of AUDIT_WORKER_URL>/evidence`. Never change it. */
  AUDIT_EVIDENCE_ORIGIN: z.optional(z.string().check(z.trim(), z.refine(isOrigin))),
  /** `true`: the bucket also keeps the bodies of the events, so that a difference can be named field by field. */
  AUDIT_EVIDENCE_COPIES: z.optional(z.enum(["true", "false"])),
  /** An RFC 3161 time stamp authority, which stamps each checkpoint. Plain `http` is allowed, because only a hash is sent. */
  AUDIT_TSA_URL: z.optional(address(/^https?:\/\/\S+$/i)),
  /** Where each checkpoint is posted, such as your witness; `https`. */
  AUDIT_ANCHOR_URL: z.optional(secretAddress(/^https?:\/\/\S+$/i)),
  /** Signs what is posted to `AUDIT_ANCHOR_URL` (Standard Webhooks, `whsec_…`). */
  AUDIT_ANCHOR_KEY: z.optional(webhookKey),
});

/** Returns the 32 bytes of a key; undefined if it is malformed. */
export function seedOf(text: string): Uint8Array | undefined {
  const encoded = /^evk_([A-Za-z0-9_-]{43})$/.exec(text)?.[1];
  const seed = encoded === undefined ? undefined : fromBase64(encoded);
  return seed?.length === SEED_BYTES ? seed : undefined;
}
