/**
 * The event id: the identity of a record, minted once at the gateway and the same everywhere. Two records have the same id only if
 * they describe the same request. A replay keeps the id.
 */
import { toHex } from "./bytes.ts";
import { EVENT_ID_MAX_CHARS } from "./limits.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Returns true for an id that the worker accepts: 1 to 64 characters of `A-Z a-z 0-9 _ . -`. A colon starts a suffix such as `:r1`. */
export function isEventId(value: unknown): value is string {
  return typeof value === "string" && value.length <= EVENT_ID_MAX_CHARS && /^[A-Za-z0-9_.-]+$/.test(value);
}

/**
 * Mints a UUIDv7 (RFC 9562, section 5.7). Its last byte is the isolate's shard, so all records of a message are on one ledger shard.
 * `random` must have 9 bytes.
 *
 * @example
 * mintEventId(Date.now(), crypto.getRandomValues(new Uint8Array(9)), 7);
 */
export function mintEventId(nowMs: number, random: Uint8Array, shard: number): string {
  const bytes = Uint8Array.of(...random, shard);
  bytes[0] = 0x70 | ((bytes[0] ?? 0) & 0x0f);
  bytes[2] = 0x80 | ((bytes[2] ?? 0) & 0x3f);
  return uuidOf(nowMs.toString(16).padStart(12, "0") + toHex(bytes));
}

/** Returns the UUID with hyphens for its 32 hexadecimal digits. */
export function uuidOf(hex: string): string {
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Returns the time in a UUIDv7, in ms since the epoch, or undefined for any other id. */
export function eventIdTimeMs(id: string): number | undefined {
  return UUID_V7.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : undefined;
}

const LATE_OUTCOME = ":outcome";

/** The identity of a late outcome: a second event, which corrects the one under the event id. */
export function lateOutcomeId(eventId: string): string {
  return eventId + LATE_OUTCOME;
}

/** The event id that a late outcome corrects; undefined for the id of any other event. */
export function correctedId(id: string): string | undefined {
  return id.endsWith(LATE_OUTCOME) ? id.slice(0, -LATE_OUTCOME.length) : undefined;
}

/** Returns true for an event id, and for the identity of a late outcome. */
export function isEventReference(value: unknown): value is string {
  return typeof value === "string" && isEventId(correctedId(value) ?? value);
}

/**
 * The ledger shard of an event id, 0 to `shards` - 1: its last byte for a UUIDv7, an FNV-1a hash for any other id. A late outcome has the
 * shard of the event that it corrects.
 */
export function shardOf(reference: string, shards: number): number {
  const id = correctedId(reference) ?? reference;
  if (UUID_V7.test(id)) return Number.parseInt(id.slice(-2), 16) % shards;
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193) >>> 0;
  return hash % shards;
}
