/** Prints the notes of a release, and refuses a tag that is not the version of package.json and of the changelog. */
import { readFile } from "node:fs/promises";

/** Returns the notes of a version: its part of the changelog. Throws a TypeError that names what does not fit. */
export function releaseNotes(tag: string, manifest: string, changelog: string): string {
  const { version } = JSON.parse(manifest) as { version: string };
  if (tag !== `v${version}`) throw new TypeError(`the tag "${tag}" is not "v${version}", the version in package.json`);
  const start = changelog.indexOf(`\n## [${version}] - `);
  if (start < 0) throw new TypeError(`"CHANGELOG.md" has no heading "## [${version}] - <date>"`);
  const [, notes = ""] = changelog.slice(start + 1).split(/^## .*$/m, 2);
  if (notes.trim() === "") throw new TypeError(`"CHANGELOG.md" says nothing about ${version}`);
  return `${notes.trim()}\n`;
}

function read(name: string): Promise<string> {
  return readFile(new URL(`../${name}`, import.meta.url), "utf8");
}

if (import.meta.main) {
  try {
    process.stdout.write(releaseNotes(process.argv[2] ?? "", await read("package.json"), await read("CHANGELOG.md")));
  } catch (error) {
    console.error(`error[wrong_tag]: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
