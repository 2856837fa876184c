/** Canonical JSON: the one text of a JSON value, so that two people who hash it get the same hash. https://www.rfc-editor.org/rfc/rfc8785 */

/**
 * Returns the RFC 8785 text of a JSON value: no spaces, and keys sorted by UTF-16 code units. A property that is undefined is left
 * out, as `JSON.stringify` does. A lone surrogate, which the RFC does not allow, becomes U+FFFD, because a delivery must not fail.
 * Throws a `TypeError` for a value that JSON cannot hold.
 *
 * @example
 * canonicalJson({ b: 1e21, a: "€" }); // '{"a":"€","b":1e+21}'
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.toWellFormed());
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? list(value) : properties(value);
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError("JSON cannot hold this number");
  if (typeof value === "number" || typeof value === "boolean" || value === null) return JSON.stringify(value);
  throw new TypeError(`JSON cannot hold a value of type ${typeof value}`);
}

function list(items: readonly unknown[]): string {
  return `[${items.map((item) => canonicalJson(item)).join(",")}]`;
}

function properties(value: object): string {
  let text = "";
  // The default order of `toSorted` is that of UTF-16 code units, as section 3.2.3 of the RFC wants it.
  for (const key of Object.keys(value).toSorted()) {
    const item = (value as Readonly<Record<string, unknown>>)[key];
    if (item !== undefined)
      text += `${text === "" ? "" : ","}${JSON.stringify(key.toWellFormed())}:${canonicalJson(item)}`;
  }
  return `{${text}}`;
}
