/** Writes the generated files; with `--check` it only says which of them are out of step with the code, and exits 1. */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { apiPage } from "./generate/api.ts";
import { configurationPage } from "./generate/configuration.ts";
import { costPage } from "./generate/cost.ts";
import { journeyPicture } from "./generate/journey.ts";
import { llmsText } from "./generate/llms.ts";
import { formatted } from "./generate/markdown.ts";
import { operationsPage } from "./generate/operations.ts";
import { outagePicture } from "./generate/outage.ts";

const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** The generated files by path, as they should be. */
export async function generatedPages(): Promise<ReadonlyMap<string, string>> {
  const byHand = ["docs/api.md", "docs/cost.md", "docs/operations.md"];
  const [api, cost, operations] = await Promise.all(byHand.map((name) => readFile(path(name), "utf8")));
  return new Map([
    ["docs/api.md", await formatted(apiPage(api ?? ""))],
    ["docs/configuration.md", await formatted(await configurationPage(path))],
    ["docs/cost.md", await formatted(costPage(cost ?? ""))],
    ["docs/operations.md", await formatted(operationsPage(operations ?? ""))],
    ["llms.txt", llmsText()],
    ["docs/images/journey.svg", journeyPicture()],
    ["docs/images/outage.svg", outagePicture()],
  ]);
}

async function main(check: boolean): Promise<void> {
  for (const [name, text] of await generatedPages()) {
    const now = await readFile(path(name), "utf8").catch(() => "");
    if (now === text) continue;
    if (check) {
      process.stderr.write(`error[conflict]: "${name}" is out of step with the code; run "node docs/generate.ts"\n`);
      process.exitCode = 1;
    } else await writeFile(path(name), text);
  }
}

if (import.meta.main) await main(process.argv.includes("--check"));
