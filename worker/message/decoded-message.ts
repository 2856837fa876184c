/** Decodes a message: the envelope as a whole, then each record separately, so that a bad record does not affect the others. */
import * as z from "zod/mini";
import { isEventId } from "../../shared/event-id.ts";
import { MESSAGE_MAX_RECORDS } from "../../shared/limits.ts";
import { MESSAGE_VERSION, type AuditRecord } from "../../shared/record.ts";
import { decodeRecord, type WireMessage, type WireRecord } from "../../shared/wire.ts";
import { parseJsonBytes } from "../json.ts";
import { unpack } from "./packed-message.ts";
import { wholeNumber } from "../whole-number.ts";

const Envelope = z.looseObject({
  v: z.literal(MESSAGE_VERSION),
  g: z.optional(z.array(z.union([z.string(), z.literal(null)]))),
  records: z.array(z.unknown()).check(z.minLength(1), z.maxLength(MESSAGE_MAX_RECORDS)),
});

const texts = z.optional(z.array(z.string()));

const RecordShape = z.looseObject({
  id: z.string().check(z.refine(isEventId)),
  c: z.array(z.unknown()),
  k: z.optional(z.enum(["i", "w"])),
  x: z.optional(z.enum(["success", "failure", "denied", "unknown"])),
  y: z.optional(z.enum(["d", "r"])),
  n: z.optional(wholeNumber.check(z.positive())),
  j: texts,
  f: texts,
  rp: z.optional(
    z.object({
      id: z.string(),
      n: wholeNumber.check(z.positive()),
      mended: z.optional(z.array(z.string())),
      acceptDuplicates: z.optional(z.boolean()),
      imported: z.optional(z.object({ by: z.string(), atMs: z.number() })),
    }),
  ),
});

/** A record that cannot be decoded, with a message that holds it alone, so that it can be decoded later. */
export interface UnreadableRecord {
  readonly id?: string;
  readonly reason: string;
  readonly message: string;
}

export type DecodedMessage =
  | {
      readonly kind: "message";
      readonly records: readonly AuditRecord[];
      readonly unreadable: readonly UnreadableRecord[];
    }
  /** A newer policy wrote it: deploy the worker. */
  | { readonly kind: "newer"; readonly version: number }
  | { readonly kind: "unreadable"; readonly reason: string };

/** Decodes the bytes of a message; never throws. */
export function decodeMessage(body: Uint8Array): DecodedMessage {
  const json = parseJsonBytes(body);
  if (json === undefined) return { kind: "unreadable", reason: "the body is not JSON" };
  const version = typeof json === "object" && json !== null && "v" in json ? json.v : undefined;
  if (typeof version === "number" && Number.isInteger(version) && version > MESSAGE_VERSION) {
    return { kind: "newer", version };
  }
  const message = typeof json === "object" && json !== null && "d" in json ? unpack(json) : json;
  if (typeof message === "string") return { kind: "unreadable", reason: message };
  const envelope = Envelope.safeParse(message);
  if (!envelope.success) return { kind: "unreadable", reason: describe(envelope.error) };
  const { g = [], records } = envelope.data;
  const readable: AuditRecord[] = [];
  const unreadable: UnreadableRecord[] = [];
  for (const wire of records) {
    const decoded = decodeOne(wire, g);
    if (typeof decoded === "string") unreadable.push(unreadableRecord(wire, g, decoded));
    else readable.push(decoded);
  }
  return { kind: "message", records: readable, unreadable };
}

/** Returns the record, or why it is unreadable. */
function decodeOne(wire: unknown, g: WireMessage["g"]): AuditRecord | string {
  const shape = RecordShape.safeParse(wire);
  if (!shape.success) return describe(shape.error);
  try {
    const record = decodeRecord(shape.data as unknown as WireRecord, g);
    // The largest time that a date can hold (ECMA-262, section 21.4.1.1).
    return Math.abs(record.occurredAtMs) > 8.64e15 ? '"t" is not a time' : record;
  } catch (error) {
    return error instanceof Error ? error.message : "undecodable";
  }
}

/** Names the first wrong field, never its value. */
function describe(error: z.core.$ZodError): string {
  const path = error.issues[0]?.path.map(String).join(".");
  return path ? `"${path}" is missing or malformed` : "not an object";
}

function unreadableRecord(wire: unknown, g: WireMessage["g"], reason: string): UnreadableRecord {
  const id = typeof wire === "object" && wire !== null && "id" in wire && isEventId(wire.id) ? wire.id : undefined;
  const message = JSON.stringify({ v: MESSAGE_VERSION, g, records: [wire] });
  return { ...(id === undefined ? {} : { id }), reason, message };
}
