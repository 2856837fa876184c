/** Finds and changes code by its shape, so that a mutation survives new names, new formatting and a move to another file. */

/** An identifier or a path of identifiers, such as `row.state` or `this.#store?.size`. */
const PATH = String.raw`[#$A-Za-z_][\w$]*(?:\??\.#?[A-Za-z_$][\w$]*)*`;

/**
 * Replaces `from` with `to` in `source` where it fits.
 *
 * In both, `$name` stands for an identifier or a path of identifiers, the same one everywhere. White space in `from`
 * does not matter.
 * @returns how often `from` fits, and the source with all of these places changed.
 *
 * @example
 * replacePattern("if (row.state === 'x') go(row);", { from: "if ($state === 'x')", to: "if (!$state)" });
 * // { count: 1, source: "if (!row.state) go(row);" }
 */
export function replacePattern(source: string, { from, to }: Pattern): { count: number; source: string } {
  let count = 0;
  const changed = source.replace(expressionFor(from), (...found) => {
    count += 1;
    const names = found.at(-1) as Readonly<Record<string, string>>;
    return to.replaceAll(/\$([a-zA-Z]+)/g, (whole, name: string) => names[name] ?? whole);
  });
  return { count, source: changed };
}

export interface Pattern {
  readonly from: string;
  readonly to: string;
}

function expressionFor(from: string): RegExp {
  const seen = new Set<string>();
  const tokens = from.match(/\$[a-zA-Z]+|[\w.]+|"[^"]*"|\S/g) ?? [];
  const parts = tokens.map((token, index) => {
    if (!/^\$[a-zA-Z]/.test(token)) return token.replaceAll(/[^\w"]/g, String.raw`\$&`);
    const name = token.slice(1);
    if (seen.has(name)) return String.raw`\k<${name}>(?![\w$])`;
    seen.add(name);
    // A whole path, unless the pattern itself names its beginning.
    const start = tokens[index - 1]?.endsWith(".") ? "" : String.raw`(?<![\w$.#])`;
    return String.raw`${start}(?<${name}>${PATH})(?![\w$])`;
  });
  return new RegExp(parts.join(String.raw`\s*`), "g");
}
