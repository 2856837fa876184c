import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pageOf, pages, ROOT, targetOf, type Page } from "./pages.ts";

/** What is wrong with each link of a page; external ones are only checked for their form. */
function brokenLinks(page: Page, all: readonly Page[]): readonly string[] {
  return page.links.flatMap((href) => {
    const target = targetOf(page, href);
    if (!target) return URL.canParse(href) ? [] : [`${href} is no URL`];
    const isThere = target.path === page.path || existsSync(join(ROOT, target.path));
    if (target.path.startsWith("..") || !isThere) return [`${href} leads to nothing`];
    if (target.anchor === undefined) return [];
    const anchors = (target.path === page.path ? page : all.find(({ path }) => path === target.path))?.anchors;
    return anchors?.has(target.anchor) ? [] : [`${href} names no heading`];
  });
}

const all = pages();

describe.each(all.map((page) => [page.path, page] as const))("%s", (_path, page) => {
  it("leads nowhere wrong", () => {
    expect(brokenLinks(page, all)).toEqual([]);
  });
});

it("finds a missing file, a missing heading and a link out of the repository, in tables and lists too", () => {
  const markdown =
    "# A `b` c\n\n- [x](no.md)\n\n| a |\n| - |\n| [y](#a-b-c) [z](#no) |\n\n[up](../../x) [ok](architecture.md)";
  expect(brokenLinks(pageOf("docs/x.md", markdown), all)).toEqual([
    "no.md leads to nothing",
    "#no names no heading",
    "../../x leads to nothing",
  ]);
});
