/** Reads the content of a body: decompresses it, decodes its charset, and parses it as JSON or as a form. */
import { copyOf } from "./body-stream.ts";
import { parseJson } from "./json.ts";

interface ParsedBody {
  readonly value?: unknown;
  readonly fault?: "too_large" | "unreadable" | "garbled";
}

const FORM = /^\s*(application\/x-www-form-urlencoded|multipart\/form-data)\b/i;

/**
 * Parses a body. Parses JSON whatever the content type says, because handlers do the same; a form only under its own type, and
 * without its files. `limitBytes` bounds the decompressed length. Never rejects.
 */
export async function parseBody(
  bytes: Uint8Array<ArrayBuffer>,
  headers: Headers,
  limitBytes: number,
): Promise<ParsedBody> {
  const type = headers.get("content-type") ?? "";
  try {
    const plain = await decompressed(bytes, headers.get("content-encoding") ?? "", limitBytes);
    if (!plain) return { fault: "too_large" };
    const { text, isGarbled } = textOf(plain, type);
    // Some parsers accept more kinds of white space than JSON allows, so it is trimmed.
    const json = parseJson(text.trim());
    const value = json === undefined && FORM.test(type) ? await formOf(plain, type) : json;
    if (value === undefined) return { fault: "unreadable" };
    return isGarbled ? { value, fault: "garbled" } : { value };
  } catch {
    return { fault: "unreadable" };
  }
}

async function formOf(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<unknown> {
  const form = await new Response(bytes, { headers: { "content-type": type } }).formData();
  return Object.fromEntries(form);
}

/** The first two bytes of compressed data. RFC 1952, section 2.3.1, and RFC 1950, section 2.2 */
const CODINGS = {
  gzip: (first: number, second: number) => first === 0x1f && second === 0x8b,
  deflate: (first: number, second: number) => (first & 15) === 8 && (first * 256 + second) % 31 === 0,
};

/**
 * Undoes the codings, the last first; undefined if the result exceeds the limit. The runtime decompresses a response itself but
 * keeps the header, so the bytes are checked for each coding, too. There is no decoder for Brotli here: such a request body stays
 * compressed, and is not JSON.
 */
async function decompressed(
  bytes: Uint8Array<ArrayBuffer>,
  contentEncoding: string,
  limitBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let plain = bytes;
  for (const name of contentEncoding.toLowerCase().split(",").toReversed()) {
    const coding = name.trim().replace(/^x-/, "");
    if (coding !== "gzip" && coding !== "deflate") continue;
    if (!CODINGS[coding](plain[0] ?? 0, plain[1] ?? 0)) continue;
    const copy = await copyOf(new Blob([plain]).stream().pipeThrough(new DecompressionStream(coding)), limitBytes);
    if (!copy) return undefined;
    plain = copy;
  }
  return plain;
}

/** A byte order mark overrides the type. https://encoding.spec.whatwg.org/#decode */
const BYTE_ORDER_MARKS = [
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16be", [0xfe, 0xff]],
  ["utf-16le", [0xff, 0xfe]],
] as const;

interface Decoded {
  readonly text: string;
  /** The text has U+FFFD for bytes that are invalid in the charset, or the charset is unknown and UTF-8 was tried. */
  readonly isGarbled: boolean;
}

function textOf(bytes: Uint8Array, type: string): Decoded {
  const marked = BYTE_ORDER_MARKS.find(([, mark]) => mark.every((byte, i) => bytes[i] === byte));
  const [, named] = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(type) ?? [];
  const charset = marked?.[0] ?? named ?? "utf-8";
  for (const fatal of [true, false]) {
    try {
      return { text: new TextDecoder(charset, { fatal }).decode(bytes), isGarbled: !fatal };
    } catch {
      // The bytes are invalid in the charset, or the charset is unknown.
    }
  }
  return { text: new TextDecoder().decode(bytes), isGarbled: true };
}
