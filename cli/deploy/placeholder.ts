/** Detects values that somebody forgot to replace. A worker deployed with one fails only at its first event. */

/** Whole words, so that a random key that happens to contain these letters is not refused. */
const WORDS =
  /(?:^|[^a-z0-9])(?:put[-_ ]?yours?|yours?|change[-_ ]?(?:me|this|it)|replace[-_ ]?(?:me|this|it)|insert|placeholder|example|sample|dummy|fixme|todo|x{3,}|\*{3,})(?![a-z0-9])/i;
/** `<token>`, `…`, `...`, and shell text that a quoted here-document did not expand. */
const MARKS = /^<.*>$|^\[.*\]$|…|\.\.\.|\$\(|\$\{|`/;

/** Returns true for a value such as `sk_put_yours_here`, `changeme`, `<token>` or `xxxxxxxx`. URLs are never placeholders. */
export function isPlaceholder(value: string): boolean {
  if (/^https?:/i.test(value)) return false;
  const random = value.replace(/^(?:whsec|sk|sig|org)_/, "");
  return WORDS.test(value) || MARKS.test(value) || (random.length > 3 && new Set(random).size <= 2);
}
