/** Builds the console: one script, one style sheet and one page, served by the worker as static assets. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** The folder of the worker's static assets, as `[assets]` in wrangler.toml names it. A path in it is a path of the worker's URL. */
export const SITE = fileURLToPath(new URL("../dist/site/", import.meta.url));

const FOLDER = new URL("../dist/site/console/", import.meta.url);

/** Builds the application and returns its files by name. */
export async function consoleFiles(): Promise<ReadonlyMap<string, string>> {
  const [page, icon, { outputFiles }] = await Promise.all([
    readFile(new URL("./index.html", import.meta.url), "utf8"),
    readFile(new URL("./icon.svg", import.meta.url), "utf8"),
    build({
      entryPoints: { app: fileURLToPath(new URL("./main.tsx", import.meta.url)) },
      bundle: true,
      minify: true,
      write: false,
      outdir: fileURLToPath(FOLDER),
      format: "esm",
      target: ["chrome123", "firefox120", "safari17.5"],
      jsx: "automatic",
      jsxImportSource: "preact",
      logLevel: "silent",
    }),
  ]);
  const built = outputFiles.map(({ path, text }) => [path.split(/[\\/]/).at(-1) ?? "", text] as const);
  return new Map([["index.html", page], ["icon.svg", icon], ...built]);
}

/** Writes the application into `SITE`. Other processes may read or write the same files at the same time. */
export async function writeConsole(): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const files = await consoleFiles();
  await Promise.all([...files].map(([name, text]) => writeWhole(new URL(name, FOLDER), text)));
}

/** Renames a finished file into place; leaves an up-to-date file alone. */
async function writeWhole(file: URL, text: string): Promise<void> {
  const known = await readFile(file, "utf8").catch(() => undefined);
  if (known === text) return;
  const part = new URL(`${file.href}.${process.pid}`);
  await writeFile(part, text);
  await rename(part, file);
}
