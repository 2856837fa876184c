import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { buildPolicy } from "../../policy/build.ts";
import { ROOT } from "./pages.ts";

const TSCONFIG = {
  compilerOptions: {
    target: "ES2022",
    module: "ESNext",
    moduleResolution: "Bundler",
    lib: ["ES2022", "DOM"],
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  },
  include: ["audit.ts"],
};

it("shows a module of the user's own that compiles against the built policy", async () => {
  // Inside the repository, so that `@zuplo/runtime` is found.
  const folder = join(ROOT, "dist", `docs-example-${process.pid}`);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(folder, { recursive: true });
  await buildPolicy(folder);
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
  const compile = (source: string): string => {
    writeFileSync(join(folder, "audit.ts"), source);
    const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
    return spawnSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" }).stdout;
  };
  const page = readFileSync(join(ROOT, "docs/configuration.md"), "utf8");
  const example = /```ts\n(\/\/ modules\/audit\.ts\n[^]*?)```/.exec(page)?.[1] ?? "";
  expect(example).toContain("createAuditLog");
  expect(compile(example)).toBe("");
  expect(compile(example.replace('"report.exported"', "1"))).toContain("not assignable");
});
