/** Quotes words for a POSIX shell. */

/** Returns a word that the shell reads as `text`, with quotes only if needed. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
