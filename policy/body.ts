/** Copies the bodies that a route selects from. The handler, the origin and the client get the same bytes as without the copy. */
import { toHex } from "../shared/bytes.ts";
import { compact } from "../shared/compact.ts";
import { copyOf } from "./body-stream.ts";
import { parseBody } from "./body-text.ts";
import type { Ports } from "./ports.ts";

/**
 * Why a body has no value, or a doubtful one. `unread`: chunked, read by another policy before ours, an event stream, or too slow.
 * `too_large`: longer than the limit, also after decompression. `unreadable`: neither JSON nor a form, or compressed in a way that
 * cannot be undone here. `garbled`: its text holds bytes that its charset does not have; the value has U+FFFD there.
 */
type BodyFault = "unread" | "too_large" | "unreadable" | "garbled";

/** What is known of a body. */
export interface Body {
  /** The parsed JSON, or the fields of a form. */
  readonly value?: unknown;
  readonly fault?: BodyFault;
  /** Length in bytes where it is known and there is a fault: of a request as it was sent, of a response after decompression. */
  readonly bytes?: number | undefined;
  /** SHA-256 of the same bytes, in hexadecimal, where they were read and there is a fault. */
  readonly sha256?: string;
}

export interface BodySettings {
  /** Longest body that is read, in bytes, compressed and decompressed. */
  readonly limitBytes: number;
  readonly ports: Pick<Ports, "sha256">;
}

/** Reads the copy of a body when it is first called, and gives the same promise from then on. Never rejects. */
export type BodyReader = () => Promise<Body>;

/** The reader of a body that cannot be copied. */
export const unread: BodyReader = () => Promise.resolve({ fault: "unread" });

/**
 * True for a body whose end only its sender can tell. After an abort, workerd ends such a body properly towards the origin, as if
 * the fragment were the whole, where the body was cloned or a `waitUntil` is pending (measured, see docs/architecture.md). So such
 * a request is never cloned, and nothing is handed to `waitUntil` before its response. A body that names its length is not
 * affected: the origin misses the rest. A request that another route's handler made with `invokeRoute` comes from no client.
 */
export function isOpenEnded(request: Request, isNested: boolean): boolean {
  const { headers } = request;
  const namesLength = isNested || headers.has("content-length");
  // The body last, because only looking at it makes the runtime wrap it in a stream.
  return (!namesLength || headers.has("transfer-encoding")) && request.body !== null;
}

/**
 * Copies the body of a request; undefined where there is none. Copy it before anything reads the body. Read the copy after the
 * handler has read the original: workerd may hold a part of the original back while only its copy is read (measured, see
 * docs/architecture.md).
 */
export function copyRequest(request: Request, isOpenEnded: boolean, settings: BodySettings): BodyReader | undefined {
  const { body, headers } = request;
  if (!body || headers.get("content-length") === "0") return undefined;
  return isOpenEnded ? unread : copyClone(request, settings);
}

/** Copies the body of a response; undefined where there is none. Read the copy once the response is on its way, for the same reason. */
export function copyResponse(response: Response, settings: BodySettings): BodyReader | undefined {
  const { body, headers } = response;
  if (!body) return undefined;
  // It ends when the server wants, and is no JSON.
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
    // Somebody has read it, or reads it.
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
  // In one piece, which costs half as much, unless it may be longer than its length says: decoded, or of unknown length.
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

/** Metadata that a body with a fault leaves in its record, with the types that WorkOS is told. */
export const BODY_METADATA = { body_bytes: "number", body_sha256: "string" } as const;
export const RESPONSE_BODY_METADATA = { response_body_bytes: "number", response_body_sha256: "string" } as const;

export interface BodyMarks {
  readonly metadata: Readonly<Record<string, string | number>>;
  readonly missing: readonly string[];
  readonly truncated: readonly string[];
}

/** What a record says of a body that could not be used, or not fully: its length, its hash and the mark. */
export function marksOf(side: "body" | "response.body", { fault, bytes, sha256 }: Body): BodyMarks {
  const name = side.replace(".", "_");
  const isCut = fault === "too_large" || fault === "garbled";
  return {
    metadata: fault ? compact({ [`${name}_bytes`]: bytes, [`${name}_sha256`]: sha256 }) : {},
    missing: fault && !isCut ? [`$${side}`] : [],
    truncated: isCut ? [side] : [],
  };
}
