/** Keyset cursors: the position of the last entry of a page, opaque to the caller. */
import { fromBase64, toBase64Url } from "../../shared/bytes.ts";
import type { Position } from "../dead-letters/query.ts";
import { parseJson } from "../json.ts";

/** Longest cursor that the API accepts. Our choice; an event id has at most 64 characters. */
const CURSOR_MAX_CHARS = 200;

/** Encodes a position as an opaque cursor: base64url of a version and the position. */
export function encodeCursor(position: Position): string {
  return toBase64Url(new TextEncoder().encode(JSON.stringify([1, ...position])));
}

/** Decodes a cursor; undefined if this API did not make it. */
export function decodeCursor(text: string): Position | undefined {
  if (text.length > CURSOR_MAX_CHARS || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  const value = parseJson(new TextDecoder().decode(fromBase64(text)));
  if (!Array.isArray(value) || value.length !== 3 || value[0] !== 1) return undefined;
  const [, at, id] = value as unknown[];
  return typeof at === "number" && Number.isSafeInteger(at) && typeof id === "string" ? [at, id] : undefined;
}
