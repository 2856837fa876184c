/** What `standardwebhooks` takes of `@stablelib/base64`, which `build.ts` replaces: the platform has base64 in native code. */

/** Base64 with padding. */
export function encode(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** Throws where the text is not base64. */
export function decode(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
