/** Reads JSON that others wrote, where it may be none. */

/** What the text says as JSON; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** The same of bytes, which must be UTF-8 throughout. */
export function parseJsonBytes(bytes: Uint8Array): unknown {
  try {
    return parseJson(UTF_8.decode(bytes));
  } catch {
    return undefined;
  }
}
