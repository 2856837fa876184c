import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { COMMAND_VARIABLES } from "../../docs/generate/command-variables.ts";
import { exportedConstants, literalsOf, membersOf } from "../../docs/generate/comments.ts";
import { filled, linked, table } from "../../docs/generate/markdown.ts";
import { generatedPages } from "../../docs/generate.ts";
import { EvidenceVariables } from "../../worker/evidence/variables.ts";
import { Variables } from "../../worker/variables.ts";
import { ROOT } from "./pages.ts";

const fixture = join(ROOT, "tests/docs/documented.fixture.ts");

it("is in step with the code; run `node docs/generate.ts` where this fails", async () => {
  for (const [path, text] of await generatedPages()) expect(readFileSync(join(ROOT, path), "utf8")).toBe(text);
});

it("says which page is out of step and exits 1 with --check, and writes nothing", () => {
  const { status, stderr } = spawnSync(process.execPath, ["docs/generate.ts", "--check"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, ""]);
});

it("names every variable that a command reads by name", () => {
  const sources = globSync("cli/**/*.ts", { cwd: ROOT }).map((path) => readFileSync(join(ROOT, path), "utf8"));
  const read = sources.flatMap((source) =>
    [...source.matchAll(/\benv\["([A-Z_]+)"\]/g)].map(([, name]) => String(name)),
  );
  const ofWorker = { ...Variables.shape, ...EvidenceVariables.shape };
  const documented = new Set([...Object.keys(COMMAND_VARIABLES), ...Object.keys(ofWorker), "NO_COLOR"]);
  expect([...new Set(read)].filter((name) => !documented.has(name))).toEqual([]);
  expect(read).toContain("AUDIT_ADMIN_TOKEN");
});

it("reads doc comments of constants, members and literals", async () => {
  expect(await exportedConstants(fixture)).toEqual([
    { name: "ONE", about: "The first. Two lines." },
    { name: "OBJECT", about: "Members." },
  ]);
  expect(await membersOf(fixture, "OBJECT")).toEqual([
    { name: "a", about: "About a." },
    { name: "b-c", about: "About b." },
  ]);
  expect(await literalsOf(fixture, "Union")).toEqual([
    { name: "x", about: "An x." },
    { name: "y", about: "A y." },
  ]);
});

it("refuses a name without a comment, so that nothing new stays undocumented", async () => {
  await expect(literalsOf(fixture, "Bare")).rejects.toThrow('"x" in');
  await expect(membersOf(fixture, "NOWHERE")).rejects.toThrow('exports no constant "NOWHERE"');
});

it("escapes bars, names the host of a bare URL, and fills only a place that exists", () => {
  expect(table(["a"], [["x|y"]])).toBe("| a |\n| --- |\n| x\\|y |");
  expect(linked("see https://a.example/b.")).toBe("see [a.example](https://a.example/b).");
  expect(filled("<!-- generated: t -->old<!-- /generated -->", "t", "new")).toBe(
    "<!-- generated: t -->\n\nnew\n\n<!-- /generated -->",
  );
  expect(() => filled("", "t", "new")).toThrow('no place for "t"');
});
