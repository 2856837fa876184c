/** What the site holds besides its pages: its icon, and for coding agents `llms.txt` with the Markdown files that it names. */
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PAGES } from "./pages.ts";

/** Copies the files from the repository into the built site. `llms-full.txt` is made of all the Markdown files. */
export async function writeFiles(root: string, site: string): Promise<void> {
  const paths = PAGES.map(({ path }) => path);
  await copyFile(join(root, "console/icon.svg"), join(site, "icon.svg"));
  for (const path of ["llms.txt", ...paths]) {
    await mkdir(dirname(join(site, path)), { recursive: true });
    await copyFile(join(root, path), join(site, path));
  }
  const texts = await Promise.all(
    paths.map(async (path) => `<!-- ${path} -->\n\n${await readFile(join(root, path), "utf8")}`),
  );
  await writeFile(join(site, "llms-full.txt"), texts.join("\n"));
}
