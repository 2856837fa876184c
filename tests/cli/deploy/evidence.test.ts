import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { bindBucket } from "../../../cli/deploy/evidence.ts";
import type { Wrangler } from "../../../cli/deploy/wrangler.ts";

async function bound(jurisdiction?: string) {
  const root = await mkdtemp(join(tmpdir(), "bucket-"));
  onTestFinished(() => rm(root, { recursive: true }));
  await writeFile(join(root, "wrangler.toml"), "");
  const calls: (readonly string[])[] = [];
  const wrangler: Wrangler = async (args) => {
    calls.push(args);
    return { exitCode: 0, stdout: "", stderr: "" };
  };
  await bindBucket(wrangler, root, "production", jurisdiction);
  return { calls, toml: await readFile(join(root, "wrangler.toml"), "utf8") };
}

const CREATE = ["r2", "bucket", "create", "audit-forwarder-production-evidence"];

it("makes and binds the bucket in the jurisdiction of the worker's data", async () => {
  const { calls, toml } = await bound("eu");
  expect(calls).toEqual([[...CREATE, "--jurisdiction", "eu"]]);
  expect(toml).toMatch(/\nbucket_name = "audit-forwarder-production-evidence"\njurisdiction = "eu"\n$/);
});

it("names no jurisdiction if there is none", async () => {
  const { calls, toml } = await bound();
  expect(calls).toEqual([CREATE]);
  expect(toml).not.toContain("jurisdiction");
});
