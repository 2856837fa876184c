import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, inject, it } from "vitest";
import { validate } from "@actions/languageservice";
import { TextDocument } from "vscode-languageserver-textdocument";
import { parseDocument } from "yaml";
import * as z from "zod";
import { ROOT } from "./pages.ts";

const Step = z.union([
  z.strictObject({
    uses: z.string().regex(/^(?:actions\/[a-z-]+|ossf\/scorecard-action)@[0-9a-f]{40}$/),
    with: z.record(z.string(), z.unknown()).optional(),
  }),
  z.strictObject({
    name: z.string(),
    run: z.string(),
    // The user changes the folder in one place.
    "working-directory": z.literal("${{ env.GATEWAY }}").optional(),
    env: z.record(z.string(), z.string()).optional(),
  }),
]);
const Workflow = z.strictObject({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions: z.strictObject({ contents: z.literal("read") }),
  env: z.record(z.string(), z.string()).optional(),
  concurrency: z.unknown().optional(),
  jobs: z.record(
    z.string(),
    z.strictObject({
      "runs-on": z.string(),
      "timeout-minutes": z.number(),
      steps: z.array(Step),
      if: z.string().optional(),
      needs: z.string().optional(),
      strategy: z.unknown().optional(),
      environment: z.string().optional(),
      // Nothing is granted to the whole workflow beyond reading.
      permissions: z.record(z.string(), z.enum(["read", "write"])).optional(),
      concurrency: z.string().optional(),
    }),
  ),
});

const paths = [
  ...globSync(".github/workflows/*.yml", { cwd: ROOT }),
  ...globSync("docs/workflows/*.yml", { cwd: ROOT }),
];
const scripts = Object.keys(
  (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> }).scripts,
);

it("has workflows for this repository and for its users", () => {
  expect(paths.toSorted()).toEqual([
    ".github/workflows/ci.yml",
    ".github/workflows/docs.yml",
    ".github/workflows/release.yml",
    ".github/workflows/scorecard.yml",
    "docs/workflows/deploy.yml",
  ]);
});

/** What GitHub's own validator finds: keys, permissions, expressions, and jobs that wait for one that is not there. */
async function problemsIn(path: string, text: string): Promise<readonly string[]> {
  // It remembers what it has parsed by the URL.
  const url = `file:///${randomUUID()}/${path}`;
  const found = await validate(TextDocument.create(url, "yaml", 1, text));
  return found.map(({ range, message }) => `line ${range.start.line + 1}: ${JSON.stringify(message)}`);
}

it.each([
  ["attestations: write", "attestation: write", "Unexpected value 'attestation'"],
  ["needs: package", "needs: packages", "packages"],
  ["timeout-minutes: 10", "timeout-minuts: 10", "Unexpected value 'timeout-minuts'"],
  ["${{ vars.NPM_PACKAGE }}", "${{ var.NPM_PACKAGE }}", "Unrecognized named-value: 'var'"],
])("would see it if release.yml said %s as %s", async (right, wrong, problem) => {
  const path = ".github/workflows/release.yml";
  const text = readFileSync(join(ROOT, path), "utf8");
  expect(text).toContain(right);
  expect((await problemsIn(path, text.replace(right, wrong))).join("\n")).toContain(problem);
});

it("pins each action to one commit, which is the same everywhere", () => {
  const text = paths.map((path) => readFileSync(join(ROOT, path), "utf8")).join("\n");
  const pins = [...text.matchAll(/uses: (\S+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$/gm)];
  expect(pins).toHaveLength([...text.matchAll(/uses: /g)].length);
  const byAction = Map.groupBy(pins, ([, action]) => action);
  for (const [action, found] of byAction) {
    expect([action, new Set(found.map(([, , commit, version]) => `${commit} ${version}`)).size]).toEqual([action, 1]);
  }
});

describe.each(paths)("%s", (path) => {
  it("is a workflow that GitHub accepts", async () => {
    expect(await problemsIn(path, readFileSync(join(ROOT, path), "utf8"))).toEqual([]);
  });

  const document = parseDocument(readFileSync(join(ROOT, path), "utf8"));
  const workflow = Workflow.parse(document.toJS());
  const runs = Object.values(workflow.jobs).flatMap(({ steps }) => steps.filter((step) => "run" in step));

  it("is valid YAML in the shape of a workflow, and each job needs only jobs that exist", () => {
    expect([...document.errors, ...document.warnings]).toEqual([]);
    for (const { needs } of Object.values(workflow.jobs))
      expect(Object.keys(workflow.jobs)).toContain(needs ?? Object.keys(workflow.jobs)[0]);
  });

  it("names each step after the claim it proves: a sentence, not a tool", () => {
    for (const { name } of runs) expect(name).toMatch(/^[A-Z]\S* (?:\S+ ){2,}\S+$/);
  });

  it("keeps secrets out of every command line", () => {
    for (const { run } of runs) expect(run).not.toContain("secrets.");
  });

  it("runs only npm scripts that exist", () => {
    const used = runs.flatMap(({ run }) =>
      [...run.matchAll(/npm (?:run (\S+)|(test))/g)].map((match) => match[1] ?? match[2]),
    );
    expect(used.filter((name) => !scripts.includes(String(name)))).toEqual([]);
  });
});

/** `node cli/bin.mjs init "$GATEWAY" --check` as its words and its flags. */
function commandsIn(path: string): readonly { readonly words: readonly string[]; readonly flags: readonly string[] }[] {
  const text = readFileSync(join(ROOT, path), "utf8");
  return [...text.matchAll(/node cli\/bin\.mjs ([^\n]+)|npm run deploy -- ([^\n]+)/g)].map(([, cli, deploy = ""]) => {
    const parts = (cli ?? deploy).split(" ");
    const words = cli === undefined ? [] : parts.filter((part) => /^[a-z]/.test(part));
    return { words: cli === undefined ? ["deploy"] : words, flags: parts.filter((part) => part.startsWith("--")) };
  });
}

it.each(paths.flatMap(commandsIn).map(({ words, flags }) => [words.join(" "), flags] as const))(
  "uses only options that %s has: %j",
  (words, flags) => {
    const args = [inject("cliFile"), ...words.split(" "), "--help"];
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
    expect(status).toBe(0);
    for (const flag of flags) expect(stdout).toContain(flag);
  },
);

it("tests the Node versions that package.json promises", () => {
  const ci = parseDocument(readFileSync(join(ROOT, ".github/workflows/ci.yml"), "utf8")).toJS() as {
    jobs: { test: { strategy: { matrix: { node: number[] } } } };
  };
  expect(ci.jobs.test.strategy.matrix.node).toEqual([20, 22, 24]);
});
