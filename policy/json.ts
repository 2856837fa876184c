/** Lossless JSON: reads large integers exactly, and writes the canonical form for hashes. */

/** Only a text with this many consecutive digits can contain an integer that a number cannot hold. */
const MANY_DIGITS = /\d{16}/;
const INTEGER = /^-?\d+$/;
/** A larger integer becomes a string, because parsing its digits takes more than linear time. Our choice. */
const INTEGER_MAX_CHARS = 500;

/**
 * Parses JSON. Returns undefined for a text that is not JSON. An integer outside ±(2^53−1) becomes a bigint, or a string if it has
 * more than 500 digits.
 *
 * @example parseJson('{"id":9007199254740993}') // { id: 9007199254740993n }
 */
export function parseJson(text: string): unknown {
  // A reviver fails at depths that the parser accepts, so the last try is without it.
  for (const reviver of MANY_DIGITS.test(text) ? [exact, undefined] : [undefined]) {
    try {
      return JSON.parse(text, reviver);
    } catch {
      // Not JSON, or nested too deeply.
    }
  }
  return undefined;
}

/** The third argument is the value's source text. https://github.com/tc39/proposal-json-parse-with-source */
function exact(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const { source = "" } = context ?? {};
  if (typeof value !== "number" || Number.isSafeInteger(value) || !INTEGER.test(source)) return value;
  return source.length > INTEGER_MAX_CHARS ? source : BigInt(source);
}

/**
 * Returns the canonical JSON of a parsed value: names sorted by UTF-16 units, no white space, numbers as ECMAScript writes them
 * (RFC 8785). Throws a RangeError for a value that is nested too deeply.
 *
 * @example canonicalJson({ b: [1.0], a: "x" }) // '{"a":"x","b":[1]}'
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join()}]`;
  if (typeof value === "object" && value !== null) {
    const names = Object.keys(value).toSorted();
    const fields = value as Readonly<Record<string, unknown>>;
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalJson(fields[name])}`).join()}}`;
  }
  // RFC 8785, section 3.2.2.3: numbers are IEEE 754 doubles, so a larger integer is rounded.
  return JSON.stringify(typeof value === "bigint" ? Number(value) : value) ?? "null";
}
