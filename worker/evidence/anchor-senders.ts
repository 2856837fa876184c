/** Sends a checkpoint to each kind of anchor. A sender rejects with a short reason without secrets if the anchor did not accept it. */
import { Webhook } from "standardwebhooks";
import { isSignatureLine } from "../../shared/evidence/note.ts";
import { mintEventId } from "../../shared/event-id.ts";
import { WORKER_ISOLATE_ID } from "../../shared/operator-actions.ts";
import { deduplicationId } from "../../shared/qstash-headers.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { encodeMessage } from "../../shared/wire.ts";
import { readBounded } from "../http/body.ts";
import type { Env } from "../env.ts";
import { sha256 } from "../ledger/leaf.ts";
import { outboxOf } from "../outbox/client.ts";
import type { Fetch } from "../qstash/request.ts";
import type { Anchor } from "./anchors.ts";
import { addSignatures, putObject } from "./bucket.ts";
import { stampPath } from "./paths.ts";
import { isStamped, stampRequest } from "./time-stamp.ts";

const TIMEOUT_MS = 10_000;
/** A time stamp with its certificates has a few kB, a cosignature 200 bytes. Our choice. */
const ANSWER_MAX_BYTES = 65_536;
/** Most cosignatures that one answer may add. Our choice. */
const SIGNATURES_MAX = 8;

/** Gets a time stamp for the checkpoint's text, and stores the whole answer. */
export async function stampCheckpoint(bucket: R2Bucket, fetcher: Fetch, url: string, anchor: Anchor): Promise<void> {
  const hash = sha256(new TextEncoder().encode(textOf(anchor.checkpoint)));
  const answer = await post(fetcher, url, {
    headers: { "content-type": "application/timestamp-query" },
    body: stampRequest(hash, crypto.getRandomValues(new Uint8Array(8))),
  });
  if (!isStamped(answer, hash)) throw new Error("not_stamped");
  await putObject(bucket, stampPath(anchor.size), answer);
}

/** Posts the checkpoint unchanged, and adds the cosignatures in the answer to the published checkpoint if it is still the same one. */
export async function postCheckpoint(
  bucket: R2Bucket,
  fetcher: Fetch,
  { url, key }: { readonly url: string; readonly key: string | undefined },
  { size, checkpoint }: Anchor,
  nowMs: number,
): Promise<void> {
  const id = `checkpoint_${size}`;
  const headers: Record<string, string> = {
    "content-type": "text/plain; charset=utf-8",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(nowMs / 1000)),
  };
  if (key !== undefined) headers["webhook-signature"] = new Webhook(key).sign(id, new Date(nowMs), checkpoint);
  const answer = new TextDecoder().decode(await post(fetcher, url, { headers, body: checkpoint }));
  const lines = answer.split("\n").filter(isSignatureLine).slice(0, SIGNATURES_MAX);
  if (lines.length > 0) await addSignatures(bucket, textOf(checkpoint), lines);
}

/** Passes an event with the checkpoint to the outbox, which delivers it like any other. The same anchor always makes the same event. */
export async function recordCheckpoint(env: Pick<Env, "OUTBOX">, organization: string, anchor: Anchor): Promise<void> {
  const record = checkpointRecord(organization, anchor);
  const id = deduplicationId([record]);
  const body = JSON.stringify(encodeMessage([record]));
  await outboxOf(env, id).add({ deduplicationId: id, body, delaySeconds: 0, receivedMs: anchor.sinceMs });
}

/** The record of a checkpoint. Pure. */
function checkpointRecord(organization: string, { size, checkpoint, sinceMs }: Anchor): AuditRecord {
  const [origin = "", , root = "", , signature = ""] = checkpoint.split("\n");
  const random = sha256(new TextEncoder().encode(checkpoint)).subarray(0, 9);
  return {
    id: mintEventId(sinceMs, random, random[0] ?? 0),
    stage: "outcome",
    occurredAtMs: sinceMs,
    action: "audit_forwarder.checkpoint",
    organization,
    actor: { id: "audit-forwarder", type: "worker" },
    targets: [{ id: origin, type: "evidence_log" }],
    // In parts, because a text of an event holds no line breaks. They make up the whole note again.
    metadata: { checkpoint_size: size, checkpoint_root: root, checkpoint_signature: signature },
    method: "POST",
    route: "/evidence/checkpoint",
    status: 200,
    outcome: "success",
    assurance: "durable",
    gateway: { isolateId: WORKER_ISOLATE_ID, policyVersion: "worker" },
    sequence: 0,
  };
}

/** What the signatures cover: everything before the empty line. */
function textOf(checkpoint: string): string {
  return checkpoint.slice(0, checkpoint.indexOf("\n\n") + 1);
}

async function post(fetcher: Fetch, url: string, init: RequestInit): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetcher(url, { method: "POST", redirect: "manual", signal, ...init }).catch(() => {
    throw new Error("network");
  });
  const answer = await readBounded(response, ANSWER_MAX_BYTES);
  if (!response.ok) throw new Error(`http_${response.status}`);
  if (!answer) throw new Error("answer_too_long");
  return answer;
}
