/** Makes text safe to read, so that people see in a log exactly what is stored. Pure. */

/** Printable ASCII only, as almost all texts are. */
const PLAIN = /^[ -~]*$/;

/**
 * Emoji, which may hold a joiner or a variation selector, or a single invisible character: bidirectional controls, zero-width
 * characters, tags, variation selectors, line and paragraph separators. https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
 */
const EMOJI_OR_INVISIBLE =
  /(?:\p{ExtPict}\uFE0F?\p{EMod}?(?:\u200D(?=\p{ExtPict}))?|[\d#*]\uFE0F\u20E3)|[\p{DI}\u2028\u2029\uFFF9-\uFFFB]/gu;
const INVISIBLE = /^[\p{DI}\u2028\u2029\uFFF9-\uFFFB]$/u;

/**
 * Returns a text that JSON, logs and people can read. A control character becomes a space, a lone surrogate becomes U+FFFD, and an
 * invisible character becomes its escape, such as `\u{202e}`. A joiner inside an emoji stays. Cleaning twice changes nothing.
 *
 * @example
 * cleanText("safe\u202Egpj.exe"); // "safe\\u{202e}gpj.exe"
 */
export function cleanText(text: string): string {
  if (PLAIN.test(text)) return text;
  // oxlint-disable-next-line no-control-regex -- removes exactly these
  const printable = text.replaceAll(/[\0-\x1f\x7f-\x9f]/g, " ").toWellFormed();
  return replaceInvisible(printable, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}

/** Returns the text without invisible characters, so that they cannot split a word that a pattern looks for. */
export function withoutInvisible(text: string): string {
  return PLAIN.test(text) ? text : replaceInvisible(text, () => "");
}

function replaceInvisible(text: string, replace: (char: string) => string): string {
  return text.replaceAll(EMOJI_OR_INVISIBLE, (found) => (INVISIBLE.test(found) ? replace(found) : found));
}
