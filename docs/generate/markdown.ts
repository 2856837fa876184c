/** Small pieces of Markdown. */
import { format } from "prettier";

/** A table; bars in cells are escaped. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => "---"), ...rows].map(row).join("\n");
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

export function code(text: string): string {
  return `\`${text}\``;
}

export function jsonBlock(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``;
}

/** Bare URLs become links that say where they lead; one in brackets keeps them. */
export function linked(text: string): string {
  return text.replaceAll(/https?:\/\/[^\s)]+[^\s).,;]/g, (url) => `[${new URL(url).hostname}](${url})`);
}

/** As `npm run format` would leave it. */
export function formatted(markdown: string): Promise<string> {
  return format(markdown, { parser: "markdown", printWidth: 120 });
}

/** Replaces what stands between `<!-- generated: name -->` and `<!-- /generated -->`; throws a RangeError where there is no such place. */
export function filled(page: string, name: string, content: string): string {
  const start = `<!-- generated: ${name} -->`;
  const end = "<!-- /generated -->";
  const from = page.indexOf(start);
  const to = page.indexOf(end, from);
  if (from < 0 || to < 0) throw new RangeError(`the page has no place for "${name}"`);
  return `${page.slice(0, from + start.length)}\n\n${content}\n\n${page.slice(to)}`;
}
