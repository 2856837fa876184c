/** Replaces known secrets in a text: those marked by their issuer, those with a name beside them, and card numbers. Pure. */
import { fromBase64 } from "../shared/bytes.ts";
import { withoutInvisible } from "../shared/readable-text.ts";
import { holdCardNumber } from "./card-number.ts";
import { MARKED_SECRET } from "./secret-kinds.ts";
import { isSecretInText, NAME_IN_TEXT } from "./secret-names.ts";

/** The replacement of a secret. */
export const REDACTED = "[redacted]";

/**
 * `all` for text that anyone can write. `marked` for the authenticated party: its name or id may look like `pwd=mallory` or a card
 * number, and must stay, so only secrets marked as such are replaced.
 */
export type SecretRules = "all" | "marked";

/** Length of the shortest secret. */
const SECRET_MIN_CHARS = 8;
/** The part of a text that shaping keeps: at most 500 code points of two units. So scanning has a constant cost for any text length. */
const SCAN_MAX_CHARS = 1_280;
/** The end of a cut text is dropped: it may hold the start of a secret that is too short to be recognized. */
const CUT_EDGE_CHARS = 256;
/** How many times a text may be URL-encoded. Only an attacker encodes more often. Our choice. */
const DECODE_MAX = 4;

/**
 * Returns the text with `[redacted]` in place of each known secret, even if it is URL-encoded, base64-encoded or split by invisible
 * characters. Takes linear time; cuts texts over 1,280 characters first.
 *
 * @example
 * scrub("see https://ada:hunter2@host/"); // "see https://[redacted]@host/"
 */
export function scrub(text: string, rules: SecretRules = "all"): string {
  if (text.length < SECRET_MIN_CHARS) return text;
  const piece = text.slice(0, SCAN_MAX_CHARS);
  const visible = withoutInvisible(piece);
  const scanned = scan(visible, rules, true);
  if (visible !== piece) return scanned === visible ? markCut(piece, text) : REDACTED;
  return markCut(scanned, text);
}

function markCut(clean: string, whole: string): string {
  return whole.length > SCAN_MAX_CHARS ? clean.slice(0, -CUT_EDGE_CHARS) + REDACTED : clean;
}

/** The header of a token up to its dot, and the rest. Each run is scanned once, from its beginning. RFC 7519, section 3 */
const JWT = /(?<![\w-])(?=[\w-]+\.)([\w-]*?)(?<![A-Za-z\d])ey[JI][\w-]{8,}\.[\w.-]*/g;
const AWS_KEY_ID = /A[KS]IA[A-Z\d]{16}/;
/** An AWS secret key has no mark. Next to its id, any run of its length counts as one. */
const AWS_SECRET_KEY = /(?<![\w+/])[\w+/]{40}(?![\w+/=])/g;
/** RFC 7468 and PuTTY's format; up to the end of the text if the end of the block is missing. */
const PRIVATE_KEY = /(?:-----BEGIN [A-Z\d ]*PRIVATE KEY|PuTTY-User-Key-File-\d)[^]*?(?:-----END [^-]*-----|$)/g;
/** RFC 9110, section 11.4: schemes are case-insensitive. */
const CREDENTIALS = /\b(bearer|dpop|basic|digest|token|negotiate|ntlm|apikey)\s+([\w.~+/-]{8,}=*)/gi;
/** RFC 3986, section 3.2.1. Up to the last `@`, because a password may contain one. */
const URL_PASSWORD = /(?<=:\/\/)[^\s/@:]*:[^\s/]+(?=@)/g;

function scan(text: string, rules: SecretRules, isEncoded: boolean): string {
  const isAws = AWS_KEY_ID.test(text);
  let clean = /ey[JI]/.test(text) ? text.replaceAll(JWT, `$1${REDACTED}`) : text;
  clean = clean.replaceAll(MARKED_SECRET, (found) => (looksRandom(found) ? REDACTED : found));
  if (isAws) clean = clean.replaceAll(AWS_SECRET_KEY, REDACTED);
  if (clean.includes("---") || clean.includes("PuTTY")) clean = clean.replaceAll(PRIVATE_KEY, REDACTED);
  if (clean.includes("://")) clean = clean.replaceAll(URL_PASSWORD, REDACTED);
  clean = clean.replaceAll(CREDENTIALS, (found: string, scheme: string, value: string) =>
    // "Basic information" and "token bucket" are not credentials.
    /^(bearer|dpop)$/i.test(scheme) || /.[A-Z\d]/.test(value) ? REDACTED : found,
  );
  if (rules === "all") clean = scrubCards(/[=:]/.test(clean) ? scrubPairs(clean) : clean);
  return isEncoded ? scanDecoded(text, clean, rules) : clean;
}

/** Words after a secret's prefix are not a secret, as in `sk-learn-pipeline-tuning`. */
function looksRandom(found: string): boolean {
  return /\d|[A-Z]{16}/.test(found) || (/[a-z]/.test(found) && /[A-Z]/.test(found));
}

const VALUE = /(\\*["'])[^"'\\]*|[^\s"'\\&,;]+/y;
/** The value of a header ends with its line. */
const HEADER = /^((set-)?cookie|(proxy-)?authorization)$/i;
const HEADER_VALUE = /[^\r\n"'}]+/y;
/** Shortest value that counts as a secret by its name. Our choice. */
const VALUE_MIN_CHARS = 3;
/** A URL's authorization code (RFC 6749, section 4.1.2) or signature. Shorter values of `code` are countries and the like. */
const PARAMETER = /^(code|sig)$/i;
const PARAMETER_MIN_CHARS = 8;
/** Replaces `name=value`, `name: value` and `"name": "value"`. */
function scrubPairs(text: string): string {
  let clean = "";
  let end = 0;
  NAME_IN_TEXT.lastIndex = 0;
  for (let match = NAME_IN_TEXT.exec(text); match; match = NAME_IN_TEXT.exec(text)) {
    const [found, name = "", sign] = match;
    const at = match.index + found.length;
    const isProse = sign === ":" && !/[\\"']/.test(text[at] ?? "");
    const isParameter = PARAMETER.test(name) && /[?&#]/.test(text[match.index - 1] ?? "");
    if (!isParameter && !isSecretInText(name, isProse)) continue;
    const value = isProse && HEADER.test(name) ? HEADER_VALUE : VALUE;
    value.lastIndex = at;
    const length = value.exec(text)?.[0].length ?? 0;
    if (length < (isParameter ? PARAMETER_MIN_CHARS : VALUE_MIN_CHARS)) continue;
    clean += text.slice(end, match.index) + REDACTED;
    end = at + length;
    NAME_IN_TEXT.lastIndex = end;
  }
  return clean + text.slice(end);
}

/** Groups of digits that can hold a card number, alone or within a text. */
const DIGITS = /(?<!\d\.?)\d{4,}([\s._-]{1,3}\d+)*/g;
const CARD_MIN_CHARS = 13;
/** Letters between digits: the digits belong to a hexadecimal id or a hash. */
const ID_BEFORE = /\d[A-Za-z]{1,8}$/;
const ID_AFTER = /^[A-Za-z]{1,8}\d/;
const ID_CONTEXT_CHARS = 9;

function scrubCards(text: string): string {
  return text.replaceAll(DIGITS, (run, _, start: number) => {
    const end = start + run.length;
    const isPartOfId = () =>
      ID_BEFORE.test(text.slice(Math.max(start - ID_CONTEXT_CHARS, 0), start)) ||
      ID_AFTER.test(text.slice(end, end + ID_CONTEXT_CHARS));
    return run.length >= CARD_MIN_CHARS && holdCardNumber(run.split(/\D+/)) && !isPartOfId() ? REDACTED : run;
  });
}

/** Returns an encoded text unchanged only if decoding reveals no further secrets. */
function scanDecoded(text: string, clean: string, rules: SecretRules): string {
  if (!/[%+]/.test(text)) return scrubBase64(clean, rules);
  const shown = decodeUrl(clean);
  // A `%` can split a secret, so that only part of it was found. A `+` can belong to a secret; only elsewhere does it mean a space.
  const decoded = text.includes("%") ? decodeUrl(text) : shown;
  const isSame = decoded !== undefined && scrubBase64(scan(decoded, rules, false), rules) === shown;
  return isSame ? scrubBase64(clean, rules) : REDACTED;
}

/** Decodes a URL or a form through all its encodings; undefined if there are too many. */
function decodeUrl(text: string): string | undefined {
  let decoded = text.replaceAll("+", " ");
  for (let i = 0; i <= DECODE_MAX; i++) {
    const before = decoded;
    // oxlint-disable-next-line typescript/no-deprecated -- the only decoder that accepts malformed text
    decoded = unescape(before);
    if (decoded === before) return decoded;
  }
  return undefined;
}

/** Matches base64 of ASCII text: every fourth character shows that a byte is at least 32 and less than 128. RFC 4648, section 4 */
const BASE64_TEXT = /(?<![\w+/-])(?:[I-Za-f][\w+/-]{3}){5,}[\w+/-]*={0,2}/g;

function scrubBase64(text: string, rules: SecretRules): string {
  const codes = text.match(BASE64_TEXT);
  if (!codes) return text;
  const decoded = codes.map(decodeBase64).join("\n");
  return scan(decoded, rules, false) === decoded ? text : text.replaceAll(BASE64_TEXT, REDACTED);
}

function decodeBase64(code: string): string {
  const digits = code.replace(/=+$/, "");
  // One digit alone encodes no byte.
  const bytes = fromBase64(digits.length % 4 === 1 ? digits.slice(0, -1) : digits);
  return bytes ? String.fromCharCode(...bytes) : "";
}
