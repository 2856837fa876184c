/** The site of the documentation: the Markdown files of the repository, in place. `npm run docs` builds it into `dist/docs`. */
import { globSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { slug } from "github-slugger";
import { writeFiles } from "./files.ts";
import { siteLink } from "./links.ts";
import { LANDING, MOVED, PAGES, SECTIONS, sitePath } from "./pages.ts";

/** The parts of markdown-it that are used here. The types of VitePress are there only where the site is built. */
interface Token {
  type: string;
  readonly children: readonly Token[] | null;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}
type Rules = Record<string, ((...args: readonly unknown[]) => string) | undefined>;
interface MarkdownIt {
  readonly core: { readonly ruler: { push(name: string, rule: (state: State) => void): void } };
  readonly renderer: { readonly rules: Rules };
}
interface State {
  readonly tokens: readonly Token[];
  readonly env: { readonly path: string; readonly realPath?: string };
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const OWN = new Set([LANDING, ...PAGES.map(({ path }) => path)]);
/** `DOCS_BASE` is the site's path on its host. GitHub's workflows set the other two. */
const { DOCS_BASE: base = "/", GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env;
const repository = GITHUB_REPOSITORY === undefined ? undefined : `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`;

/** The console's accent, and what the default theme lacks: contrast, and a search button whose name is the text that it shows. */
const STYLE = `
html:root { --vp-c-brand-1: #3451d1; --vp-c-brand-2: #3451d1; --vp-c-brand-3: #3451d1; }
html.dark { --vp-c-brand-1: #93a8ff; --vp-c-brand-2: #93a8ff; }
html:root, html.dark { --vp-code-lang-color: var(--vp-c-text-2); }
.DocSearch-Button .DocSearch-Button-Keys { display: none; }
.VPHome .vp-doc img { display: block; margin: 24px auto; }`;

/** The configuration of VitePress: https://vitepress.dev/reference/site-config */
export const siteConfig = {
  title: "Audit forwarder",
  description: "Durable audit events from a Zuplo gateway to WorkOS Audit Logs",
  lang: "en",
  base,
  srcDir: ROOT,
  outDir: join(ROOT, "dist/docs"),
  srcExclude: globSync("**/*.md", { cwd: ROOT, exclude: ["**/node_modules"] }).filter((path) => !OWN.has(path)),
  rewrites: { ...MOVED },
  cleanUrls: true,
  head: [
    ["link", { rel: "icon", href: `${base}icon.svg`, type: "image/svg+xml" }],
    ["style", {}, STYLE],
  ],
  markdown: {
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
    // The same anchors as on GitHub.
    anchor: { slugify: slug },
    config: (markdown: MarkdownIt) => {
      markdown.core.ruler.push("site_links", ({ tokens, env }) =>
        mapLinks(tokens, relative(ROOT, env.realPath ?? env.path)),
      );
      for (const type of ["text", "code_inline"]) keepBraces(markdown.renderer.rules, type);
    },
  },
  themeConfig: {
    logo: "/icon.svg",
    search: { provider: "local" },
    sidebar: SECTIONS.map(({ title, pages }) => ({
      text: title,
      items: pages.map((page) => ({ text: page.title, link: `/${sitePath(page.path)}` })),
    })),
    outline: [2, 3],
    externalLinkIcon: true,
    ...(repository === undefined ? {} : { socialLinks: [{ icon: "github", link: repository }] }),
  },
  transformPageData: ({ filePath }: { readonly filePath: string }) => {
    const page = PAGES.find(({ path }) => path === filePath);
    return page === undefined ? {} : { description: page.summary };
  },
  buildEnd: ({ outDir }: { readonly outDir: string }) => writeFiles(ROOT, outDir),
};

/** A link to a file that the site cannot show becomes plain text. */
function mapLinks(tokens: readonly Token[], page: string): void {
  for (const { children } of tokens) {
    let isDropped = false;
    for (const token of children ?? []) {
      if (token.type === "link_open") {
        const to = siteLink(token.attrGet("href") ?? "", page, repository);
        isDropped = to === undefined;
        if (to !== undefined) token.attrSet("href", to);
      }
      const isEnd = token.type === "link_close";
      if (isDropped && (isEnd || token.type === "link_open")) token.type = "text";
      if (isEnd) isDropped = false;
    }
  }
}

/** Vue would evaluate `{{ … }}` in a page. */
function keepBraces(rules: Rules, type: string): void {
  const render = rules[type];
  rules[type] = (...args) => (render?.(...args) ?? "").replaceAll("{{", "&#123;&#123;");
}
