/**
 * RFC 3161 time stamps: the request in DER, and the parts of the answer that are checked.
 * https://www.rfc-editor.org/rfc/rfc3161#section-2.4
 */
import { fromHex } from "../../shared/bytes.ts";

const [SEQUENCE, INTEGER, OCTETS] = [0x30, 0x02, 0x04];
/** AlgorithmIdentifier of SHA-256 with NULL parameters. */
const SHA_256 = fromHex("300d06096086480165030402010500");
const VERSION = Uint8Array.of(INTEGER, 1, 1);
/** `certReq`: the answer includes its certificates, so that it can be checked offline. */
const WANTS_CERTIFICATES = Uint8Array.of(0x01, 1, 0xff);
/** `granted` and `grantedWithMods`. */
const GRANTED = new Set([0, 1]);

/** Returns the request for a time stamp over a SHA-256; the nonce must have 8 bytes. */
export function stampRequest(hash: Uint8Array, nonce: Uint8Array): Uint8Array {
  const imprint = der(SEQUENCE, SHA_256, der(OCTETS, hash));
  // A first byte below 0x80 and above 0 makes it a positive integer in its shortest form.
  const number = der(INTEGER, Uint8Array.of(0x40 | ((nonce[0] ?? 0) & 0x3f), ...nonce.subarray(1)));
  return der(SEQUENCE, VERSION, imprint, number, WANTS_CERTIFICATES);
}

/**
 * Returns true if the answer grants a time stamp over the hash. The verifier checks the signature, because it decides which
 * authority to trust.
 */
export function isStamped(answer: Uint8Array, hash: Uint8Array): boolean {
  const response = contentOf(answer, SEQUENCE);
  const info = response && contentOf(response, SEQUENCE);
  const status = info && contentOf(info, INTEGER);
  return status?.length === 1 && GRANTED.has(status[0] ?? -1) && holds(answer, hash);
}

function holds(bytes: Uint8Array, part: Uint8Array): boolean {
  for (let at = bytes.indexOf(part[0] ?? 0); at >= 0; at = bytes.indexOf(part[0] ?? 0, at + 1)) {
    if (part.every((byte, index) => bytes[at + index] === byte)) return true;
  }
  return false;
}

/** Returns the content of the element that the bytes begin with; undefined if it has another tag or is truncated. */
function contentOf(bytes: Uint8Array, tag: number): Uint8Array | undefined {
  const [found, short = 0] = bytes;
  if (found !== tag) return undefined;
  const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
  const length =
    lengthBytes === 0 ? short : bytes.subarray(2, 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
  const start = 2 + lengthBytes;
  return start + length <= bytes.length ? bytes.subarray(start, start + length) : undefined;
}

/** Encodes an element of at most 127 bytes. */
function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = parts.flatMap((part) => [...part]);
  return Uint8Array.of(tag, content.length, ...content);
}
