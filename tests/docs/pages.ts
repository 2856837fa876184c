/** The pages of the docs, read with a Markdown parser: command blocks with the comment before each, links, anchors. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import GithubSlugger from "github-slugger";
import { marked, type Token, type Tokens } from "marked";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface Block {
  readonly page: string;
  readonly language: string;
  readonly text: string;
  /** The HTML comment right before the block, without its marks. */
  readonly comment?: string;
}

export interface Page {
  /** Relative to the repository. */
  readonly path: string;
  readonly blocks: readonly Block[];
  readonly links: readonly string[];
  readonly anchors: ReadonlySet<string>;
}

/** README.md and every page under docs/. */
export function pages(): readonly Page[] {
  const paths = ["README.md", ...globSync("docs/**/*.md", { cwd: ROOT, exclude: ["**/node_modules"] })];
  return paths.flatMap((path) => {
    const text = read(path);
    return text === undefined ? [] : [pageOf(path, text)];
  });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(join(ROOT, path), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export function pageOf(path: string, markdown: string): Page {
  const tokens = marked.lexer(markdown);
  const links: string[] = [];
  const anchors = new Set<string>();
  const slugger = new GithubSlugger();
  void marked.walkTokens(tokens, (token) => {
    if (token.type === "link" || token.type === "image") links.push((token as Tokens.Link).href);
    if (token.type === "heading") anchors.add(slugger.slug(plain((token as Tokens.Heading).tokens)));
  });
  return { path, blocks: blocksOf(path, tokens), links, anchors };
}

function plain(tokens: readonly Token[]): string {
  return tokens
    .map((token) => ("tokens" in token && token.tokens ? plain(token.tokens) : "text" in token ? token.text : ""))
    .join("");
}

/** Code blocks at any depth; a comment counts where nothing but white space stands between. */
function blocksOf(page: string, tokens: readonly Token[]): readonly Block[] {
  const blocks: Block[] = [];
  let comment: string | undefined;
  for (const token of tokens) {
    if (token.type === "space") continue;
    if (token.type === "code") {
      const { lang = "", text } = token as Tokens.Code;
      blocks.push({ page, language: lang.split(" ")[0] ?? "", text, ...(comment === undefined ? {} : { comment }) });
    } else if (token.type === "list") {
      for (const item of (token as Tokens.List).items) blocks.push(...blocksOf(page, item.tokens));
    }
    comment = token.type === "html" ? /^<!--\s*([\s\S]*?)\s*-->\s*$/.exec(token.raw)?.[1] : undefined;
  }
  return blocks;
}

/** Where a link leads inside the repository; undefined for one that leads out of it. */
export function targetOf(page: Page, href: string): { readonly path: string; readonly anchor?: string } | undefined {
  if (/^[a-z]+:/.test(href)) return undefined;
  const [file = "", anchor] = href.split("#");
  const path = file === "" ? page.path : relative(ROOT, join(ROOT, dirname(page.path), decodeURIComponent(file)));
  return { path, ...(anchor === undefined ? {} : { anchor }) };
}
