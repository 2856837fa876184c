import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Linter } from "eslint";
import { builtinRules } from "eslint/use-at-your-own-risk";
import * as prettier from "prettier";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BuiltPolicy, buildPolicy } from "../../policy/build.ts";
import { fingerprintOf } from "../../policy/fingerprint.ts";
import { POLICY_VERSION } from "../../policy/version.ts";

/** The budget, counted after minifying and gzip. */
/** Above the goal of 16 kB, which the benchmark still reports as missed: the features of today do not fit it. Only ever lower it. */
const POLICY_MAX_GZIP_BYTES = 24_500;

const execFileAsync = promisify(execFile);

let folder: string;
let built: BuiltPolicy;
let text: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "policy-build-"));
  built = await buildPolicy(folder);
  text = await readFile(built.path, "utf8");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the built policy", () => {
  it("is one module of at most 24.5 kB after minifying and gzip", () => {
    expect(built.path).toBe(join(folder, "audit-log.ts"));
    expect(built.gzipBytes).toBeGreaterThan(8_000);
    expect(built.gzipBytes).toBeLessThanOrEqual(POLICY_MAX_GZIP_BYTES);
  });

  it("imports only Zuplo's runtime, and nothing later", () => {
    const imports = [...text.matchAll(/\bfrom\s*["'`]([^"'`]+)["'`]|\bimport\s*\(\s*["'`]?([^)]*)/g)].map(
      (match) => match[1] ?? match[2],
    );
    expect(new Set(imports)).toEqual(new Set(["@zuplo/runtime"]));
    expect(text).not.toContain("require(");
  });

  it("exports the policy by name and by default, the escape hatch, and its types", () => {
    expect(text).toMatch(/^export const \{\s+auditLog,\s+createAuditLog,\s+\}: \{\s+auditLog: AuditLogPolicy;/m);
    expect(text).toMatch(/^export default auditLog$/m);
    expect(text).toMatch(/^export interface AuditDescription /m);
  });

  it("says in its first lines whose it is, its version, and where it sends", async () => {
    const manifest = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(POLICY_VERSION).toBe(manifest.version);
    expect(text.slice(0, 300)).toContain(`audit-forwarder policy ${manifest.version} (`);
    const header = text.slice(0, text.indexOf("*/\n\n"));
    expect(header).toContain("$QSTASH_URL/v2/publish/$AUDIT_WORKER_URL/deliver");
    expect(header).toContain("$AUDIT_WORKER_URL/ingest");
  });

  it("is the same text each time, from any working directory", async () => {
    const module = new URL("../../policy/build.ts", import.meta.url).href;
    const code = `const { policyText } = await import("${module}"); process.stdout.write(await policyText());`;
    const child = await execFileAsync(process.execPath, ["--input-type=module", "--eval", code], { cwd: tmpdir() });
    expect(child.stdout).toBe(text);
  });
});

describe("the built policy, for a reader", () => {
  it("keeps names, comments, and lines of a length that can be read", () => {
    expect(text).toContain("function makeShipper(");
    expect(text).toContain("const FAILURES_TO_BLOCK = 3;");
    expect(text).toMatch(/^ +\/\/ If the policy is on a route twice/m);
    expect(text).toContain("  // ---- policy/paths.ts ----\n");
    const lines = text.split("\n");
    expect(lines.length).toBeGreaterThan(1_000);
    expect(lines.filter((line) => line.length > 140).length).toBeLessThan(lines.length / 50);
  });

  it.each([
    {},
    { semi: false, singleQuote: true, trailingComma: "none", quoteProps: "consistent" },
    { useTabs: true, printWidth: 60, objectWrap: "collapse", arrowParens: "avoid" },
    { tabWidth: 8, experimentalTernaries: true, bracketSpacing: false },
  ] as const)("passes `prettier --check` with %j", async (options) => {
    expect(await prettier.check(text, { parser: "typescript", ...options })).toBe(true);
    const unmarked = text.replaceAll("// prettier-ignore\n", "");
    expect(await prettier.check(unmarked, { parser: "typescript", ...options })).toBe(false);
  });

  it("passes every rule of eslint, because its mark turns them off", () => {
    const rules = Object.fromEntries([...builtinRules.keys()].map((name) => [name, "error"] as const));
    // Blanks in place of the types, which eslint's own parser does not know.
    const lint = (source: string) => new Linter().verify(stripTypeScriptTypes(source), [{ rules }]);
    expect(lint(text)).toEqual([]);
    expect(lint(text.replace("/* eslint-disable */", "")).length).toBeGreaterThan(100);
  });
});

describe("the fingerprint", () => {
  it("stands in the module and does not depend on comments or format", async () => {
    const [, named] = /^ \* fingerprint: sha256:([0-9a-f]{64})$/m.exec(text) ?? [];
    expect(await fingerprintOf(text)).toBe(named);
    const bare = text.replaceAll(/^ *\/\/ .*\n/gm, "");
    const other = await prettier.format(bare, { parser: "typescript", semi: false, singleQuote: true, useTabs: true });
    expect(other).not.toContain(text.slice(2_000, 2_200));
    expect(await fingerprintOf(other)).toBe(named);
  });

  it("changes with the code", async () => {
    const changed = text.replace("const FAILURES_TO_BLOCK = 3;", "const FAILURES_TO_OPEN = 4;");
    expect(await fingerprintOf(changed)).not.toBe(await fingerprintOf(text));
  });

  it("is refused for a text that is no TypeScript", async () => {
    await expect(fingerprintOf("const = ;")).rejects.toThrow(/Transform failed/);
  });
});
