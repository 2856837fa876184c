/** `POST /dead-letter`: QStash's failure callback. https://upstash.com/docs/qstash/features/callbacks */
import * as z from "zod/mini";
import { fromBase64 } from "../../shared/bytes.ts";
import { pausedBy } from "../monitor/paused-answer.ts";
import { jsonAnswer } from "../http/answers.ts";
import type { RouteContext, Route } from "../http/route.ts";
import { lookup } from "../ledger/client.ts";
import { described } from "../qstash/dlq.ts";
import { parseJson } from "../json.ts";
import { parkDeadLetters } from "./client.ts";
import { deadLettersOf, type FailedMessage } from "./failure.ts";

/** Fits two base64 bodies: one of our messages (at most 512 kB) and an answer. Our choice. */
const CALLBACK_MAX_BYTES = 4_000_000;

const Callback = z.looseObject({
  status: described(z.number()),
  body: described(z.string()),
  retried: described(z.number()),
  dlqId: described(z.string()),
  sourceMessageId: described(z.string()),
  sourceBody: z.string(),
  createdAt: described(z.number()),
});

export const callbackRoute: Route = {
  method: "POST",
  path: "/dead-letter",
  access: "qstash",
  bodyMaxBytes: CALLBACK_MAX_BYTES,
  handle: deadLetter,
};

/** Answers 2xx only once the dead letters are stored; otherwise QStash calls again. */
async function deadLetter({ env, body }: RouteContext): Promise<Response> {
  const message = parseCallback(body);
  const entries = await deadLettersOf(message, (ids) => lookup(env, ids), env.clock.now());
  const parked = await parkDeadLetters(env, entries, message.dlqId === undefined ? [] : [message.dlqId]);
  return jsonAnswer({ dead_letters: entries.length, parked });
}

/** Stores the bytes of an unreadable callback: QStash signed it, so the fault is ours. */
function parseCallback(bytes: Uint8Array): FailedMessage {
  const source = "failure_callback" as const;
  const parsed = Callback.safeParse(parseJson(textOf(bytes)));
  if (!parsed.success) return { body: bytes, attempts: 0, source };
  const { status, body, retried, dlqId, sourceMessageId, sourceBody, createdAt } = parsed.data;
  return {
    body: fromBase64(sourceBody) ?? new TextEncoder().encode(sourceBody),
    attempts: (retried ?? 0) + 1,
    status,
    pausedBy: pausedBy(textOf(fromBase64(body ?? ""))),
    createdAtMs: createdAt,
    messageId: sourceMessageId,
    dlqId: dlqId || undefined,
    source,
  };
}

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}
