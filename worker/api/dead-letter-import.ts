/** `POST /api/dead-letters/import`: entries exported from another deployment, one JSON object a line. */
import * as z from "zod/mini";
import { isEventId } from "../../shared/event-id.ts";
import { DEAD_LETTER_RETENTION_MS, RECORD_MAX_BYTES } from "../../shared/limits.ts";
import { isOperatorRecord } from "../../shared/operator-actions.ts";
import type { AuditRecord, ImportMark } from "../../shared/record.ts";
import { encodeMessage } from "../../shared/wire.ts";
import { decodeMessage } from "../message/decoded-message.ts";
import { parseJson } from "../json.ts";
import { recordColumns } from "../dead-letters/merged-row.ts";
import { DEAD_LETTER_CLASSES, DEAD_LETTER_SOURCES } from "../../shared/dead-letter.ts";
import { printable, Time } from "./parameters.ts";
import type { PastFailure, DeadLetterRow } from "../dead-letters/row.ts";
import { HIDDEN } from "./dead-letter-view.ts";
import { wholeNumber } from "../whole-number.ts";

interface RefusedLine {
  readonly line: number;
  readonly code: "invalid_request";
  readonly detail: string;
}

interface ParsedImport {
  readonly rows: readonly DeadLetterRow[];
  readonly refused: readonly RefusedLine[];
}

/** Leaves room for records that have grown, for example by a replay mark or a mended value. */
const RECORD_SLACK = 2;
const text = z.string().check(z.minLength(1), z.maxLength(1_000));
const time = z.optional(Time);
const BASE64 = /^(?:[\dA-Za-z+/]{4})*(?:[\dA-Za-z+/]{2}==|[\dA-Za-z+/]{3}=)?$/;

const failure = {
  class: z.enum(DEAD_LETTER_CLASSES),
  wrote: z.enum(["no", "maybe"]),
  reason: text,
  status: z.optional(wholeNumber.check(z.gte(0), z.lte(999))),
  attempts: wholeNumber.check(z.gte(0)),
  source: z.enum(DEAD_LETTER_SOURCES),
  first_attempt_at: time,
  last_attempt_at: time,
  parked_at: Time,
  message_id: z.optional(text),
  replay_id: z.optional(text),
};
const Failure = z.object(failure);

const Entry = z.object({
  ...failure,
  event_id: z.string().check(z.refine(isEventId)),
  replays: wholeNumber.check(z.gte(0)),
  record: z.optional(z.looseObject({})),
  body: z.optional(z.string().check(z.regex(BASE64))),
  history: z.array(Failure).check(z.maxLength(20)),
});

/** Reads the lines and skips empty ones. A wrong line is refused on its own, by its number from 1. */
export function parseImport(body: string, mark: ImportMark): ParsedImport {
  const rows: DeadLetterRow[] = [];
  const refused: RefusedLine[] = [];
  for (const [index, line] of body.split("\n").entries()) {
    if (line.trim() === "") continue;
    const row = parseLine(line, mark);
    if (typeof row === "string") refused.push({ line: index + 1, code: "invalid_request", detail: row });
    else rows.push(row);
  }
  return { rows, refused };
}

/** Returns the row, or the reason for refusing the line. */
function parseLine(line: string, mark: ImportMark): DeadLetterRow | string {
  const parsed = Entry.safeParse(parseJson(line));
  if (!parsed.success)
    return `"${printable(parsed.error.issues[0]?.path.join(".") ?? "") || "line"}" is missing or malformed`;
  const entry = parsed.data;
  if (mark.atMs - entry.parked_at >= DEAD_LETTER_RETENTION_MS)
    return '"parked_at" is longer ago than dead letters are kept';
  const record = entry.record === undefined ? undefined : readRecord(entry.record, entry.event_id);
  if (typeof record === "string") return record;
  if (record && isOperatorRecord(record)) return '"record" is about an operator of the audit forwarder itself';
  if (!record && entry.body === undefined) return '"record" or "body" is required; export with "reveal=true"';
  return {
    ...failureRow(entry),
    event_id: entry.event_id,
    state: "open",
    source: "import",
    generation: record?.replay?.n ?? 0,
    replays: entry.replays,
    replay_id: null,
    ...recordColumns(record),
    dlq_id: null,
    accepted: 0,
    discarded: null,
    history: JSON.stringify(entry.history.map((past): PastFailure => ({ ...failureRow(past), ...replayOf(past) }))),
    imported: JSON.stringify(mark),
    body: record ? null : (entry.body ?? null),
  };
}

function failureRow(failure: z.infer<typeof Failure>) {
  return {
    class: failure.class,
    wrote: failure.wrote,
    reason: failure.reason,
    status: failure.status ?? null,
    attempts: failure.attempts,
    first_attempt_at: failure.first_attempt_at ?? null,
    last_attempt_at: failure.last_attempt_at ?? null,
    parked_at: failure.parked_at,
    source: failure.source,
    message_id: failure.message_id ?? null,
  };
}

function replayOf({ replay_id }: z.infer<typeof Failure>): { replay_id?: string } {
  return replay_id === undefined ? {} : { replay_id };
}

/** Checks that a record survives the queue: packs it and reads it back as a delivery would. */
function readRecord(given: Record<string, unknown>, eventId: string): AuditRecord | string {
  if (given["id"] !== eventId) return '"record.id" must be the "event_id"';
  const json = JSON.stringify(given);
  if (json.length > RECORD_MAX_BYTES * RECORD_SLACK) return '"record" is too large';
  if (json.includes(`"${HIDDEN}"`)) return '"record" holds hidden values; export with "reveal=true"';
  try {
    const message = JSON.stringify(encodeMessage([given as unknown as AuditRecord]));
    const decoded = decodeMessage(new TextEncoder().encode(message));
    const record = decoded.kind === "message" ? decoded.records[0] : undefined;
    return record ?? '"record" cannot be read';
  } catch {
    return '"record" cannot be read';
  }
}
