import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BuiltPolicy, buildPolicy } from "../../policy/build.ts";
import { POLICY_VERSION } from "../../policy/version.ts";

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
  it("is one module of at most 12 kB after gzip", () => {
    expect(built.path).toBe(join(folder, "audit-log.ts"));
    expect(built.gzipBytes).toBeLessThanOrEqual(12_000);
  });

  it("imports only Zuplo's runtime, and nothing later", () => {
    const imports = [...text.matchAll(/\bfrom\s*["'`]([^"'`]+)["'`]|\bimport\s*\(\s*["'`]?([^)]*)/g)].map(
      (match) => match[1] ?? match[2],
    );
    expect(new Set(imports)).toEqual(new Set(["@zuplo/runtime"]));
    expect(text).not.toContain("require(");
  });

  it("exports the policy by name and by default, the escape hatch, and its types", () => {
    expect(text).toMatch(/export const auditLog:AuditLogPolicy=/);
    expect(text).toMatch(/,createAuditLog:\(code\?:AuditLogCode\)=>AuditLogPolicy=/);
    expect(text).toContain("export default auditLog;");
    expect(text).toContain("export interface AuditDescription");
  });

  it("says whose it is, and carries the package's version", async () => {
    const manifest = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(text.slice(0, 200)).toContain("audit-forwarder");
    expect(POLICY_VERSION).toBe(manifest.version);
    expect(text).toContain(`"${manifest.version}"`);
  });

  it("shortens no name of a field that is also written as a text, or seen by users", async () => {
    const source = await readFile(new URL("../../policy/build.ts", import.meta.url), "utf8");
    const names = /const INTERNAL =\s*\/\^\((.+?)\)\$\//.exec(source)?.[1]?.split("|") ?? [];
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) expect(text).not.toMatch(new RegExp(`[.{,"']${name}\\b`));
  });

  it("is the same text each time", async () => {
    await buildPolicy(folder);
    expect(await readFile(built.path, "utf8")).toBe(text);
  });
});
