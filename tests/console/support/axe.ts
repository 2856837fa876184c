/** What axe finds on a page. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type Axe from "axe-core";
import type { Page } from "playwright-core";

const SCRIPT = fileURLToPath(import.meta.resolve("axe-core/axe.min.js"));

/** Each violation of WCAG 2.2 AA or of a best practice, with the elements that break it. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(SCRIPT, "utf8"));
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof Axe };
    const { violations } = await axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  });
}
