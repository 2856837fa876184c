/** Short forms of common texts: methods, UUIDs, trace contexts, browser user agents. Each can be reversed exactly. */
import { fromBase64, fromHex, toBase64Url, toHex } from "./bytes.ts";
import { uuidOf } from "./event-id.ts";

/** Sent as its number, counted from 1. Append only: the numbers are on the wire. */
export const METHODS: readonly string[] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/** Sent as a negative number, counted from -1. Append only. */
export const CREDENTIAL_KINDS: readonly string[] = ["bearer", "api_key", "basic", "cookie"];

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Version 00. https://www.w3.org/TR/trace-context/#traceparent-header */
export const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Packs a lower-case UUID (36 → 23 characters) or traceparent (55 → 35). Other texts stay, with a `~` at the start doubled. */
export function packId(text: string): string {
  const hex = UUID.test(text) ? text : TRACEPARENT.test(text) ? text.slice(3) : undefined;
  if (hex !== undefined) return `~${toBase64Url(fromHex(hex.replaceAll("-", "")))}`;
  return text.startsWith("~") ? `~${text}` : text;
}

/** Reverses `packId`; throws a RangeError for a packed id that it cannot have made. */
export function unpackId(text: string): string {
  if (!text.startsWith("~")) return text;
  if (text.startsWith("~~")) return text.slice(1);
  const bytes = fromBase64(text.slice(1));
  const hex = bytes ? toHex(bytes) : "";
  if (bytes?.length === 16) return uuidOf(hex);
  if (bytes?.length === 25) return `00-${hex.slice(0, 32)}-${hex.slice(32, 48)}-${hex.slice(48)}`;
  throw new RangeError("a packed id must hold 16 or 25 bytes");
}

/** Common parts of user agents, sent as DEL and a letter. A header cannot hold DEL. Append only: the letters are on the wire. */
const FRAGMENTS: readonly string[] = [
  "Mozilla/5.0 (",
  ") AppleWebKit/537.36 (KHTML, like Gecko) ",
  ".0.0.0 Safari/537.36",
  "Macintosh; Intel Mac OS X 10_15_7",
  "Windows NT 10.0; Win64; x64",
  ".0.0.0 Mobile Safari/537.36",
  "Linux; Android 10; K",
  ") AppleWebKit/605.1.15 (KHTML, like Gecko) Version/",
  " Mobile/15E148 Safari/604.1",
  " Safari/605.1.15",
  "iPhone; CPU iPhone OS ",
  " like Mac OS X",
  "Gecko/20100101 Firefox/",
  "X11; Linux x86_64",
  ") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
];
const DEL = "\x7f";

/** Packs a user agent. One that already holds a DEL is kept and gets two of them in front. */
export function packUserAgent(text: string): string {
  if (text.includes(DEL)) return DEL + DEL + text;
  // From the end, because a fragment that was added later may contain an earlier one.
  return FRAGMENTS.reduceRight(
    (packed, fragment, i) => packed.replaceAll(fragment, DEL + String.fromCharCode(97 + i)),
    text,
  );
}

/** Reverses `packUserAgent`. */
export function unpackUserAgent(packed: string): string {
  if (packed.startsWith(DEL + DEL)) return packed.slice(2);
  const [start = "", ...parts] = packed.split(DEL);
  return (
    start + parts.map((part) => (FRAGMENTS[part.charCodeAt(0) - 97] ?? DEL + part.slice(0, 1)) + part.slice(1)).join("")
  );
}
