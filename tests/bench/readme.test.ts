import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { check } from "prettier";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PART_NAMES } from "../../bench/report/part.ts";
import { type PartResult, withSection, writeResults } from "../../bench/report/readme.ts";

const CONDITIONS = {
  date: "2026-01-02 03:04 UTC",
  command: "npm run bench",
  cpu: "A CPU",
  cpuCount: 2,
  memoryGb: 8,
  system: "Linux x64",
  loadBefore: 0.5,
  versions: { node: "24.0.0" },
};

function result(name: PartResult["name"], figure: string, met = true): PartResult {
  return {
    name,
    title: `Part ${name}`,
    conditions: CONDITIONS,
    goals: [{ name: "a | goal", goal: "≤ 1", figure, met }],
    tables: [{ title: "Figures", head: ["what", "how much"], rows: [["x", figure]] }],
    notes: ["A note."],
    data: { figure },
  };
}

describe("writeResults", () => {
  let dir: string;
  const readme = () => join(dir, "README.md");
  const json = () => join(dir, "results.json");
  const write = (...results: PartResult[]) => writeResults(results, readme(), json());

  beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "bench-readme-"))));
  afterEach(() => rm(dir, { recursive: true }));

  it("makes the page with a place for each part, and fills the given one", async () => {
    await write(result("bytes", "42 B"));
    const text = await readFile(readme(), "utf8");
    for (const name of PART_NAMES) expect(text).toContain(`<!-- bench:${name} -->`);
    expect(text).toMatch(/## Part bytes\n\n2026-01-02 03:04 UTC, `npm run bench`, 2 × A CPU/);
    expect(text).toMatch(/\| ✓ +\| a \\\| goal/);
    expect(text).toContain("42 B");
  });

  it("changes nothing when it writes the same again", async () => {
    await write(result("bytes", "42 B"), result("gateway", "1 ms"));
    const before = [await readFile(readme(), "utf8"), await readFile(json(), "utf8")];
    await write(result("bytes", "42 B"), result("gateway", "1 ms"));
    expect([await readFile(readme(), "utf8"), await readFile(json(), "utf8")]).toEqual(before);
  });

  it("replaces its own section only", async () => {
    await write(result("bytes", "42 B"), result("gateway", "1 ms"));
    const text = await readFile(readme(), "utf8");
    await writeFile(readme(), text.replace("# Benchmarks\n", "# Benchmarks\n\nWritten by hand.\n"));
    await write(result("bytes", "43 B"));
    const after = await readFile(readme(), "utf8");
    expect(after).toContain("Written by hand.");
    expect(after).toContain("1 ms");
    expect(after).toContain("43 B");
    expect(after).not.toContain("42 B");
    const kept = JSON.parse(await readFile(json(), "utf8")) as Record<string, { data: unknown }>;
    expect(kept["bytes"]?.data).toEqual({ figure: "43 B" });
    expect(kept["gateway"]?.data).toEqual({ figure: "1 ms" });
  });

  it("marks a missed goal", async () => {
    await write(result("bytes", "900 B", false));
    expect(await readFile(readme(), "utf8")).toMatch(/\| ✗ +\| a \\\| goal/);
  });

  it("leaves files that the formatter accepts", async () => {
    await write(result("bytes", "42 B"));
    expect(await check(await readFile(readme(), "utf8"), { parser: "markdown", printWidth: 120 })).toBe(true);
    expect(await check(await readFile(json(), "utf8"), { parser: "json", printWidth: 120 })).toBe(true);
  });
});

it("adds a section at the end of a page that has no place for it", () => {
  const text = withSection("# Old page\n", result("bytes", "42 B"));
  expect(text.startsWith("# Old page\n\n<!-- bench:bytes -->")).toBe(true);
  expect(text.endsWith("<!-- /bench:bytes -->\n")).toBe(true);
});
