import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { marked, type Tokens } from "marked";
import { describe, expect, it } from "vitest";
import { siteConfig } from "../../docs/site/config.ts";
import { siteLink } from "../../docs/site/links.ts";
import { PAGES, SECTIONS, sitePath } from "../../docs/site/pages.ts";
import { ROOT } from "./pages.ts";

it("lists each page of the docs once", () => {
  const paths = PAGES.map(({ path }) => path);
  const written = globSync(["*.md", "bench/*.md", "docs/*.md"], { cwd: ROOT });
  expect(paths.toSorted()).toEqual(written.toSorted());
  expect(new Set(paths.map(sitePath)).size).toBe(paths.length);
});

it("has each page in the navigation, in this order, and builds no other Markdown file", () => {
  const { srcExclude, themeConfig } = siteConfig;
  const links = themeConfig.sidebar.flatMap(({ items }) => items.map(({ link }) => link));
  expect(links).toEqual(PAGES.map(({ path }) => `/${sitePath(path)}`));
  expect(srcExclude.filter((excluded) => PAGES.some(({ path }) => path === excluded))).toEqual([]);
});

describe("a link on the site", () => {
  const repository = "https://github.com/acme/audit";
  it.each([
    ["deploy.md#upgrades", "docs/operations.md", "/docs/deploy#upgrades"],
    ["../README.md#use-it", "docs/deploy.md", "/overview#use-it"],
    ["bench/README.md", "README.md", "/bench"],
    ["docs/security.md", "SECURITY.md", "/docs/security"],
    ["#roles", "docs/api.md", "#roles"],
    ["https://zuplo.com", "README.md", "https://zuplo.com"],
    [
      "https://x.example/?url=https://github.com/OWNER/audit-forwarder",
      "README.md",
      `https://x.example/?url=${repository}`,
    ],
    ["../shared/outcome.ts", "docs/architecture.md", `${repository}/blob/main/shared/outcome.ts`],
    ["workflows/deploy.yml", "docs/deploy.md", `${repository}/blob/main/docs/workflows/deploy.yml`],
  ])("%s in %s leads to %s", (href, page, to) => {
    expect(siteLink(href, page, repository)).toBe(to);
  });

  it("to a file that only the repository shows is none where the repository's address is unknown", () => {
    expect(siteLink("../shared/outcome.ts", "docs/architecture.md")).toBeUndefined();
  });
});

describe("llms.txt", () => {
  const tokens = marked.lexer(readFileSync(join(ROOT, "llms.txt"), "utf8")).filter(({ type }) => type !== "space");

  it("has the form of llmstxt.org: a title, a summary, details, then sections of links with notes", () => {
    const kinds = tokens.map((token) =>
      token.type === "heading" ? `h${(token as Tokens.Heading).depth}` : token.type,
    );
    expect(kinds).toEqual(["h1", "blockquote", "paragraph", ...SECTIONS.flatMap(() => ["h2", "list"])]);
    const items = tokens.flatMap((token) => (token.type === "list" ? (token as Tokens.List).items : []));
    for (const { text } of items) expect(text).toMatch(/^\[[^\]]+\]\([^)]+\.md\): \S/);
  });

  it("names every page, and only the last section may be skipped", () => {
    const hrefs: string[] = [];
    void marked.walkTokens(tokens, (token) => void (token.type === "link" && hrefs.push((token as Tokens.Link).href)));
    expect(hrefs).toEqual(PAGES.map(({ path }) => path));
    const headings = tokens.flatMap((token) => (token.type === "heading" ? (token as Tokens.Heading).text : []));
    expect(headings.indexOf("Optional")).toBe(headings.length - 1);
  });
});
