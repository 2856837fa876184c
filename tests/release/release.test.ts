import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { nameProblem } from "../../release/npm-name.ts";
import { releaseNotes } from "../../release/tag.ts";
import { wranglerTemplate } from "../../release/template.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MANIFEST = '{"version":"0.2.0"}';
const CHANGELOG =
  "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-11-30\n\n### Added\n\n- A.\n\n## [0.1.0] - 2026-10-01\n\n- B.\n";

it("takes the notes of a release from its part of the changelog", () => {
  expect(releaseNotes("v0.2.0", MANIFEST, CHANGELOG)).toBe("### Added\n\n- A.\n");
});

it.each([
  ["v0.2.1", CHANGELOG, 'the tag "v0.2.1" is not "v0.2.0"'],
  ["0.2.0", CHANGELOG, 'the tag "0.2.0" is not "v0.2.0"'],
  ["v0.2.0", CHANGELOG.replace("[0.2.0]", "[0.2.0-rc]"), "has no heading"],
  ["v0.2.0", CHANGELOG.replace("### Added\n\n- A.\n\n", ""), "says nothing about 0.2.0"],
])("refuses the tag %s", (tag, changelog, message) => {
  expect(() => releaseNotes(tag, MANIFEST, changelog)).toThrow(message);
});

it("has a part of the changelog for the version in package.json", async () => {
  const manifest = await readFile(`${ROOT}/package.json`, "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  expect(releaseNotes(`v${version}`, manifest, await readFile(`${ROOT}/CHANGELOG.md`, "utf8"))).toContain("- ");
});

const OURS = "https://github.com/owner/audit-forwarder";
it.each([
  [0, '"git+https://github.com/Owner/audit-forwarder.git"\n', "no problem"],
  [0, '"https://github.com/someone/else"', 'error[name_taken]: "x" on npm belongs to https://github.com/someone/else'],
  [0, "", 'error[name_taken]: "x" on npm belongs to a package without a repository'],
  [1, '{"error":{"code":"E404"}}', 'error[name_not_registered]: nobody holds "x" on npm'],
  [1, '{"error":{"code":"ECONNREFUSED"}}', "error[unavailable]"],
])("judges who holds a name on npm: exit %i, %s", (exitCode, stdout, message) => {
  expect(nameProblem("x", OURS, { exitCode, stdout }) ?? "no problem").toContain(message);
});

it("lists the packages that the tarball installs and those that are bundled in it", async () => {
  const args = ["sbom", "--package-lock-only", "--sbom-format=cyclonedx"];
  const workflow = await readFile(`${ROOT}/.github/workflows/release.yml`, "utf8");
  expect(workflow).toContain(`run: npm ${args.join(" ")} > files/sbom.cdx.json`);
  const { stdout } = await promisify(execFile)("npm", args, { cwd: ROOT, maxBuffer: 50_000_000 });
  const { bomFormat, components } = JSON.parse(stdout) as { bomFormat: string; components: { name: string }[] };
  const names = components.map(({ name }) => name);
  expect(bomFormat).toBe("CycloneDX");
  expect(names).toEqual(expect.arrayContaining(["esbuild", "wrangler", "workerd", "yargs", "zod"]));
});

it("makes the team's wrangler.toml from the clone's, and stops if the clone's no longer has the parts", async () => {
  const toml = await readFile(`${ROOT}/wrangler.toml`, "utf8");
  const template = wranglerTemplate(toml);
  expect(template).toContain('main = ".audit-forwarder/worker/index.js"\n');
  expect(template).toContain('directory = ".audit-forwarder/site"\n');
  expect(template).not.toMatch(/\bdist\/|bootstrap|\[build\]/);
  for (const part of ["[build]", "main = ", '"dist/site"'])
    expect(() => wranglerTemplate(toml.replace(part, ""))).toThrow(TypeError);
});
