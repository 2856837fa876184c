/** Dead letters for messages that cannot be decoded: their bytes, under the id they name or one made from the bytes. */
import { toHex } from "../../shared/bytes.ts";
import type { DecodedMessage, UnreadableRecord } from "../message/decoded-message.ts";
import type { DeadLetterEntry } from "./entry.ts";

/** What is known about the message besides its bytes. */
export type Origin = Pick<DeadLetterEntry, "source" | "messageId" | "dlqId" | "attempts">;

/** Characters of the hash in an id. */
const HASH_CHARS = 32;

/** Returns dead letters for the unreadable parts of a decoded message; empty if all of it is readable. */
export async function unreadableEntries(
  body: Uint8Array,
  decoded: DecodedMessage,
  origin: Origin,
): Promise<DeadLetterEntry[]> {
  if (decoded.kind === "newer")
    return [await whole(body, `version ${decoded.version} is newer than this worker`, origin)];
  if (decoded.kind === "unreadable") return [await whole(body, decoded.reason, origin)];
  return Promise.all(decoded.unreadable.map((record) => one(record, origin)));
}

async function whole(body: Uint8Array, reason: string, origin: Origin): Promise<DeadLetterEntry> {
  return { ...entry(reason, origin), eventId: await idOf(body), body: base64(body) };
}

async function one({ id, reason, message }: UnreadableRecord, origin: Origin): Promise<DeadLetterEntry> {
  const bytes = new TextEncoder().encode(message);
  return { ...entry(reason, origin), eventId: id ?? (await idOf(bytes)), body: base64(bytes) };
}

function entry(reason: string, origin: Origin): Omit<DeadLetterEntry, "eventId"> {
  return { ...origin, class: "unreadable", wrote: "no", reason: `unreadable ${reason}` };
}

async function idOf(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `unreadable-${toHex(digest).slice(0, HASH_CHARS)}`;
}

/** Not `toBase64` of `shared`: it passes all bytes to one call, and a message may be too long for that. */
function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
