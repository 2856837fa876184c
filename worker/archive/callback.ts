/** `POST /dead-letter`: QStash's failure callback. https://upstash.com/docs/qstash/features/callbacks */
import * as z from "zod";
import { AuditError } from "../../shared/errors.ts";
import { jsonAnswer, problemAnswer } from "../http/answers.ts";
import { readBounded } from "../http/body.ts";
import type { Context, Route } from "../http/router.ts";
import { lookup } from "../ledger/client.ts";
import { signingKeys, verifySignature } from "../signature.ts";
import { archive } from "./client.ts";
import { deadLettersOf, type FailedMessage } from "./failure.ts";
import { fromBase64 } from "./unreadable.ts";

/** Two bodies in base64, ours of at most 512 kB and an answer, fit. Our choice. */
const CALLBACK_MAX_BYTES = 4_000_000;

const Callback = z.looseObject({
  status: z.number().optional(),
  retried: z.number().optional(),
  dlqId: z.string().optional(),
  sourceMessageId: z.string().optional(),
  sourceBody: z.string(),
  createdAt: z.number().optional(),
});

export const callbackRoute: Route = { method: "POST", path: "/dead-letter", access: "signed", handle: deadLetter };

/** Answers 2xx only once the dead letters are stored, so that QStash tells it again otherwise. */
async function deadLetter({ request, settings, env }: Context): Promise<Response> {
  const body = await readBounded(request, CALLBACK_MAX_BYTES);
  if (!body) return problemAnswer(413, "payload_too_large", "Payload too large", "the callback must be at most 4 MB");
  const nowMs = Date.now();
  try {
    const token = request.headers.get("upstash-signature");
    const url = `${settings.AUDIT_WORKER_URL}/dead-letter`;
    await verifySignature({ token, body, url }, signingKeys(settings, request.url), nowMs);
  } catch (error) {
    const detail = error instanceof AuditError ? error.message : '"upstash-signature" is wrong';
    return problemAnswer(401, "invalid_signature", "Unauthorized", detail);
  }
  const message = parseCallback(body);
  const entries = await deadLettersOf(message, (ids) => lookup(env, ids), nowMs);
  const parked = await archive(env).park(entries, message.dlqId === undefined ? [] : [message.dlqId]);
  return jsonAnswer({ dead_letters: entries.length, parked });
}

/** A callback that cannot be read is itself kept as bytes: QStash signed it, so something of ours failed. */
function parseCallback(bytes: Uint8Array): FailedMessage {
  const source = "failure_callback" as const;
  const parsed = Callback.safeParse(parseJson(bytes));
  if (!parsed.success) return { body: bytes, attempts: 0, source };
  const { status, retried, dlqId, sourceMessageId, sourceBody, createdAt } = parsed.data;
  return {
    body: fromBase64(sourceBody) ?? new TextEncoder().encode(sourceBody),
    attempts: (retried ?? 0) + 1,
    status,
    createdAtMs: createdAt,
    messageId: sourceMessageId,
    dlqId: dlqId || undefined,
    source,
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
