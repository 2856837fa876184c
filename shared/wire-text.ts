/** Short forms of texts that every record holds: methods, UUIDs, trace contexts, browser user agents. Each is exactly reversible. */

/** Sent as its number, counted from 1. Append only: the numbers are on the wire. */
export const METHODS: readonly string[] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Packs a lower-case UUID (36 → 23 characters) or traceparent (55 → 35); any other text stays, `~` in front doubled. */
export function packId(text: string): string {
  if (UUID.test(text)) return `~${hexToDigits(text.replaceAll("-", ""))}`;
  if (TRACEPARENT.test(text)) return `~${hexToDigits(text.slice(3).replaceAll("-", ""))}`;
  return text.startsWith("~") ? `~${text}` : text;
}

/** Reverses `packId`; throws a RangeError for a packed id that it cannot have made. */
export function unpackId(text: string): string {
  if (!text.startsWith("~")) return text;
  if (text.startsWith("~~")) return text.slice(1);
  const hex = digitsToHex(text.slice(1));
  if (text.length === 23) return uuidOf(hex);
  if (text.length === 35) return `00-${hex.slice(0, 32)}-${hex.slice(32, 48)}-${hex.slice(48, 50)}`;
  throw new RangeError("a packed id has a wrong length");
}

function uuidOf(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** Three hexadecimal digits are two of base 64. */
function hexToDigits(hex: string): string {
  let text = "";
  for (let i = 0; i < hex.length; i += 3) {
    const bits = Number.parseInt(hex.slice(i, i + 3).padEnd(3, "0"), 16);
    text += DIGITS.charAt(bits >> 6) + DIGITS.charAt(bits & 63);
  }
  return text;
}

function digitsToHex(digits: string): string {
  let hex = "";
  for (let i = 0; i < digits.length; i += 2) {
    const high = DIGITS.indexOf(digits.charAt(i));
    const low = DIGITS.indexOf(digits.charAt(i + 1));
    if (high < 0 || low < 0) throw new RangeError("a packed id has a wrong digit");
    hex += ((high << 6) | low).toString(16).padStart(3, "0");
  }
  return hex;
}

/** What browsers say alike, sent as DEL and a letter: DEL cannot stand in a header. Append only, as the letters are on the wire. */
const FRAGMENTS: readonly string[] = [
  "Mozilla/5.0 (",
  ") AppleWebKit/537.36 (KHTML, like Gecko) ",
  ".0.0.0 Safari/537.36",
  "Macintosh; Intel Mac OS X 10_15_7",
  "Windows NT 10.0; Win64; x64",
  "X11; Linux x86_64",
  ") AppleWebKit/605.1.15 (KHTML, like Gecko) ",
  ") Gecko/20100101 Firefox/",
];
const DEL = "\x7f";

/** Packs a user agent; one that holds a DEL already stays as it is, behind two of them. */
export function packUserAgent(text: string): string {
  if (text.includes(DEL)) return DEL + DEL + text;
  let packed = text;
  for (const [i, fragment] of FRAGMENTS.entries()) packed = packed.replaceAll(fragment, DEL + letter(i));
  return packed;
}

/** Reverses `packUserAgent`. */
export function unpackUserAgent(packed: string): string {
  if (packed.startsWith(DEL + DEL)) return packed.slice(2);
  let text = packed;
  for (const [i, fragment] of FRAGMENTS.entries()) text = text.replaceAll(DEL + letter(i), fragment);
  return text;
}

function letter(index: number): string {
  return String.fromCharCode(97 + index);
}
