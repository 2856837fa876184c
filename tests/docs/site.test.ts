/**
 * The built site: its links, anchors and images, and in a browser its search and its two schemes. `npm run docs` installs the
 * generator. Without it these tests are skipped; CI runs them after it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import type { AxeResults } from "axe-core";
import { marked } from "marked";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChromium } from "../../dev/chromium.ts";
import { LANDING, PAGES, sitePath } from "../../docs/site/pages.ts";
import { PATIENCE_MS } from "./delivery.ts";
import { pageOf, ROOT } from "./pages.ts";

const VITEPRESS = join(ROOT, "docs/site/node_modules/vitepress/bin/vitepress.js");
/** Where GitHub Pages serves a repository's site. */
const BASE = "/audit-forwarder/";
const REPOSITORY = "owner/repository";
/** Files that the site does not show itself. */
const SOURCES = `https://github.com/${REPOSITORY}/blob/main/`;
const PATHS = [LANDING, ...PAGES.map(({ path }) => path)];
const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};

/** The file that a static host serves for a path below the base; undefined if there is none. */
function fileFor(site: string, path: string): string | undefined {
  const at = join(site, decodeURIComponent(path));
  return [at, `${at}.html`, join(at, "index.html")].find((file) => existsSync(file) && statSync(file).isFile());
}

async function serve(site: string): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const file = pathname.startsWith(BASE) ? fileFor(site, pathname.slice(BASE.length)) : undefined;
    const type = TYPES[extname(file ?? "")] ?? "application/octet-stream";
    response.writeHead(file === undefined ? 404 : 200, { "content-type": type });
    response.end(file === undefined ? "" : readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** What a page refers to, and the anchors that it has. */
function partsOf(html: string): { readonly references: readonly string[]; readonly anchors: ReadonlySet<string> } {
  const values = (name: string): string[] =>
    [...html.matchAll(new RegExp(`<[^>]* ${name}="([^"]*)"`, "g"))].map(([, value = ""]) =>
      value.replaceAll("&amp;", "&"),
    );
  return { references: [...values("href"), ...values("src")], anchors: new Set(values("id")) };
}

/** The references of a built page that lead nowhere. */
function brokenIn(site: string, page: string): readonly string[] {
  const { references } = partsOf(readFileSync(join(site, page), "utf8"));
  return references.filter((reference) => {
    if (reference.startsWith(SOURCES))
      return !existsSync(join(ROOT, reference.slice(SOURCES.length).split("#")[0] ?? ""));
    if (/^(?:https:|data:)/.test(reference)) return false;
    const { pathname, hash } = new URL(reference, `http://localhost${posix.join(BASE, page)}`);
    const file = pathname.startsWith(BASE) ? fileFor(site, pathname.slice(BASE.length)) : undefined;
    if (file === undefined) return true;
    return hash !== "" && !partsOf(readFileSync(file, "utf8")).anchors.has(decodeURIComponent(hash.slice(1)));
  });
}

describe.skipIf(!existsSync(VITEPRESS))("the site of the documentation", () => {
  let site: string;
  let server: Server;
  let browser: Browser;
  let axe: string;
  const strangers: string[] = [];
  const errors: string[] = [];

  beforeAll(async () => {
    site = await mkdtemp(join(tmpdir(), "docs-site-"));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [VITEPRESS, "build", "docs/site", "--outDir", site],
      {
        cwd: ROOT,
        encoding: "utf8",
        env: {
          ...process.env,
          DOCS_BASE: BASE,
          GITHUB_SERVER_URL: "https://github.com",
          GITHUB_REPOSITORY: REPOSITORY,
        },
      },
    );
    if (status !== 0) throw new Error(`the site does not build:\n${stdout}${stderr}`);
    axe = await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
    [server, browser] = await Promise.all([serve(site), startChromium()]);
  });

  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    await rm(site, { recursive: true, force: true });
  });

  async function open(path: string, colorScheme: "light" | "dark" = "light"): Promise<Page> {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 900 } });
    page.setDefaultTimeout(PATIENCE_MS);
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    page.on("request", (request) => void (request.url().startsWith(origin) || strangers.push(request.url())));
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`${origin}${BASE}${path}`);
    return page;
  }

  it("holds every page of the docs and no other", () => {
    const built = globSync("**/*.html", { cwd: site }).map((path) => path.slice(0, -".html".length));
    expect(built.toSorted()).toEqual(["404", ...PATHS.map(sitePath)].toSorted());
  });

  it.each(PATHS)("%s leads nowhere wrong", (path) => {
    expect(brokenIn(site, `${sitePath(path)}.html`)).toEqual([]);
  });

  it.each(PATHS)("%s has the headings, code blocks and pictures of the file", (path) => {
    const markdown = readFileSync(join(ROOT, path), "utf8").replace(/^---\n[^]*?\n---\n/, "");
    const source = pageOf(path, markdown);
    const html = readFileSync(join(site, `${sitePath(path)}.html`), "utf8");
    const { anchors } = partsOf(html);
    expect([...source.anchors].filter((anchor) => !anchors.has(anchor))).toEqual([]);
    expect(html.match(/<pre /g)?.length ?? 0).toBe(source.blocks.length);
    let pictures = 0;
    void marked.walkTokens(marked.lexer(markdown), ({ type }) => void (type === "image" && pictures++));
    // The logo has no alternative text, because the site's name is beside it.
    expect(html.match(/<img [^>]*alt="[^"]+"/g)?.length ?? 0).toBe(pictures);
  });

  it("gives coding agents llms.txt, each Markdown file it names, and all of them in one file", () => {
    const whole = readFileSync(join(site, "llms-full.txt"), "utf8");
    expect(readFileSync(join(site, "llms.txt"), "utf8")).toBe(readFileSync(join(ROOT, "llms.txt"), "utf8"));
    for (const { path } of PAGES) {
      const text = readFileSync(join(site, path), "utf8");
      expect(text).toBe(readFileSync(join(ROOT, path), "utf8"));
      expect(whole).toContain(`<!-- ${path} -->\n\n${text}`);
    }
  });

  it("finds a heading by search, and goes there", async () => {
    const page = await open("");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("searchbox").fill("dead letters exhausted");
    await page.getByRole("option").filter({ hasText: "exhausted" }).first().click();
    await page.waitForURL(/\/docs\/\w+#/);
    const id = decodeURIComponent(new URL(page.url()).hash.slice(1));
    await expect.poll(() => page.locator(`[id="${id}"]`).textContent()).toMatch(/exhausted/i);
    await page.close();
  });

  it("switches to dark, pictures too, and keeps it", async () => {
    const page = await open("docs/architecture");
    const shade = (): Promise<string> => page.evaluate("getComputedStyle(document.body).backgroundColor");
    const light = await shade();
    await page.getByRole("switch").filter({ visible: true }).click();
    await expect.poll(shade).not.toBe(light);
    await page.reload();
    expect(await shade()).not.toBe(light);
    // A picture follows the page's scheme only if the page declares it.
    expect(await page.evaluate("getComputedStyle(document.documentElement).colorScheme")).toBe("dark");
    await page.close();
  });

  it.each([
    ["", "light"],
    ["", "dark"],
    ["overview", "light"],
    ["docs/operations", "dark"],
  ] as const)("has no serious finding of axe on /%s in %s", async (path, colorScheme) => {
    const page = await open(path, colorScheme);
    await page.evaluate(axe);
    const { violations } = await page.evaluate<AxeResults>("axe.run(document)");
    const found = violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
    expect(found).toEqual([]);
    await page.close();
  });

  it("asks no other host for anything, and throws no error", () => {
    expect({ strangers, errors }).toEqual({ strangers: [], errors: [] });
  });
});
