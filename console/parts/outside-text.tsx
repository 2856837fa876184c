/** Text from outside: isolated from its surroundings, with every invisible character made visible. */

/**
 * Emoji, which may hold a joiner or a variation selector, or (captured) a character that is invisible or changes the direction of the
 * text around it. https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
 */
const EMOJI_OR_INVISIBLE =
  /(?:\p{ExtPict}\uFE0F?\p{EMod}?(?:\u200D(?=\p{ExtPict}))?|[\d#*]\uFE0F\u20E3)|([\p{Cc}\p{Cs}\p{DI}\u2028\u2029\uFFF9-\uFFFB])/gu;

/** Shows a text so that it can neither hide anything nor reorder the text beside it. */
export function OutsideText({ text }: { readonly text: string }) {
  return <bdi dir="auto">{[...pieces(text)]}</bdi>;
}

function* pieces(text: string) {
  let from = 0;
  for (const { index, 1: invisible } of text.matchAll(EMOJI_OR_INVISIBLE)) {
    if (invisible === undefined) continue;
    yield text.slice(from, index);
    yield <span class="invisible">{nameOf(invisible)}</span>;
    from = index + invisible.length;
  }
  yield text.slice(from);
}

/** The name of a character, such as `U+202E`. */
function nameOf(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
