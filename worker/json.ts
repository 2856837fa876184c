/** Parses JSON from outside, which may be invalid. */

/** Returns the parsed text; undefined if it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** Returns the parsed bytes, which must be valid UTF-8; undefined if they are not JSON. */
export function parseJsonBytes(bytes: Uint8Array): unknown {
  try {
    return parseJson(UTF_8.decode(bytes));
  } catch {
    return undefined;
  }
}
