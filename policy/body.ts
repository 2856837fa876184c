/** Copies the bodies that a route selects from. The handler, the origin and the client get the same bytes as without the copy. */
import { toHex } from "../shared/bytes.ts";
import { compact } from "../shared/compact.ts";
import { copyOf } from "./body-stream.ts";
import { parseBody } from "./body-text.ts";
import type { Ports } from "./ports.ts";

/**
 * Why a body has no value, or an uncertain one. `unread`: chunked, already read by another policy, an event stream, or too slow.
 * `too_large`: longer than the limit, before or after decompression. `unreadable`: neither JSON nor a form, or compressed with an
 * unsupported coding. `garbled`: its text has bytes that are invalid in its charset; the value has U+FFFD in their place.
 */
type BodyFault = "unread" | "too_large" | "unreadable" | "garbled";

/** The result of reading a body. */
export interface Body {
  /** The parsed JSON, or the fields of a form. */
  readonly value?: unknown;
  readonly fault?: BodyFault;
  /** Length in bytes, if known and the body has a fault: of a request as sent, of a response after decompression. */
  readonly bytes?: number | undefined;
  /** SHA-256 of the same bytes, in hexadecimal, if they were read and the body has a fault. */
  readonly sha256?: string;
}

export interface BodySettings {
  /** Longest body that is read, in bytes, compressed and decompressed. */
  readonly limitBytes: number;
  readonly ports: Pick<Ports, "sha256">;
}

/** Reads the copy of a body on the first call, and returns the same promise on later calls. Never rejects. */
export type BodyReader = () => Promise<Body>;

/** The reader of a body that cannot be copied. */
export const unread: BodyReader = () => Promise.resolve({ fault: "unread" });

/**
 * True for a body without a declared length. After an abort, workerd ends such a body normally towards the origin, as if the
 * fragment were complete, if the body was cloned or a `waitUntil` is pending (measured, see docs/architecture.md). So such a
 * request is never cloned, and nothing is passed to `waitUntil` before its response. A body with a declared length is not affected:
 * the origin sees that the rest is missing. A request that another route's handler made with `invokeRoute` does not come from a
 * client.
 */
export function isOpenEnded(request: Request, isNested: boolean): boolean {
  const { headers } = request;
  const namesLength = isNested || headers.has("content-length");
  // Check the body last, because accessing it makes the runtime wrap it in a stream.
  return (!namesLength || headers.has("transfer-encoding")) && request.body !== null;
}

/**
 * Copies the body of a request; undefined if it has none. Copy it before anything reads the body. Read the copy after the handler
 * has read the original: workerd may hold back part of the original while only its copy is read (measured, see
 * docs/architecture.md).
 */
export function copyRequest(request: Request, isOpenEnded: boolean, settings: BodySettings): BodyReader | undefined {
  const { body, headers } = request;
  if (!body || headers.get("content-length") === "0") return undefined;
  return isOpenEnded ? unread : copyClone(request, settings);
}

/** Copies the body of a response; undefined if it has none. For the same reason, read the copy once the response is being sent. */
export function copyResponse(response: Response, settings: BodySettings): BodyReader | undefined {
  const { body, headers } = response;
  if (!body) return undefined;
  // It ends when the server decides, and is not JSON.
  return isEventStream(headers) ? unread : copyClone(response, settings);
}

export function isEventStream(headers: Headers): boolean {
  return /^text\/event-stream\b/i.test(headers.get("content-type") ?? "");
}

function copyClone(message: Request | Response, settings: BodySettings): BodyReader | undefined {
  const { headers } = message;
  const bytes = lengthOf(headers);
  if (bytes !== undefined && bytes > settings.limitBytes) return () => Promise.resolve({ fault: "too_large", bytes });
  const failed: BodyReader = () => Promise.resolve({ fault: "unread", ...(bytes !== undefined && { bytes }) });
  try {
    const copy = message.clone();
    return once(() => readCopy(copy, headers, bytes, settings).catch(failed));
  } catch {
    // Somebody has read it, or is reading it.
    return failed;
  }
}

function lengthOf(headers: Headers): number | undefined {
  const text = headers.get("content-length") ?? "";
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Calls a reader at most once. */
export function once(read: BodyReader): BodyReader {
  let reading: Promise<Body> | undefined;
  return () => (reading ??= read());
}

async function readCopy(
  message: Request | Response,
  headers: Headers,
  length: number | undefined,
  { limitBytes, ports }: BodySettings,
): Promise<Body> {
  // Read in one piece, which costs half as much, unless the length is unknown or the body is decoded.
  const isBounded = length !== undefined && !headers.has("content-encoding");
  const copy = isBounded
    ? new Uint8Array(await message.arrayBuffer())
    : message.body && (await copyOf(message.body, limitBytes));
  if (copy === null) return {};
  if (!copy || copy.byteLength > limitBytes) return { fault: "too_large" };
  const bytes = copy.byteLength;
  if (bytes === 0) return {};
  const { value, fault } = await parseBody(copy, headers, limitBytes);
  return fault ? { value, fault, bytes, sha256: toHex(await ports.sha256(copy)) } : { value };
}

/** Metadata of a record whose body has a fault, with the types registered in WorkOS. */
export const BODY_METADATA = { body_bytes: "number", body_sha256: "string" } as const;
export const RESPONSE_BODY_METADATA = { response_body_bytes: "number", response_body_sha256: "string" } as const;

export interface BodyMarks {
  readonly metadata: Readonly<Record<string, string | number>>;
  readonly missing: readonly string[];
  readonly truncated: readonly string[];
}

/** Describes in a record a body that was not usable, or only in part: its length, its hash and the mark. */
export function marksOf(side: "body" | "response.body", { fault, bytes, sha256 }: Body): BodyMarks {
  const name = side.replace(".", "_");
  const isCut = fault === "too_large" || fault === "garbled";
  return {
    metadata: fault ? compact({ [`${name}_bytes`]: bytes, [`${name}_sha256`]: sha256 }) : {},
    missing: fault && !isCut ? [`$${side}`] : [],
    truncated: isCut ? [side] : [],
  };
}
