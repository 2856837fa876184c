import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { policyText } from "../../policy/build.ts";
import { cachedPolicyText, cachedText } from "../../policy/build-cache.ts";

async function makeSources(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "build-cache-"));
  onTestFinished(() => rm(root, { recursive: true }));
  await mkdir(join(root, "policy/deep"), { recursive: true });
  await mkdir(join(root, "shared"));
  await writeFile(join(root, "policy/deep/a.ts"), "a");
  await writeFile(join(root, "shared/b.ts"), "b");
  await writeFile(join(root, "package-lock.json"), "{}");
  return root;
}

describe("the cached text of the policy", () => {
  it("is the text that a build makes", async () => {
    const built = await policyText();
    expect(await cachedPolicyText()).toBe(built);
    expect(await cachedPolicyText()).toBe(built);
  });

  it("is built once for the same sources", async () => {
    const root = await makeSources();
    let builds = 0;
    const build = () => Promise.resolve(`build ${(builds += 1)}`);
    expect([await cachedText(root, build), await cachedText(root, build)]).toEqual(["build 1", "build 1"]);
  });

  it.each(["policy/deep/a.ts", "shared/b.ts", "policy/new.ts", "package-lock.json"])(
    "is built again after a change of %s, and the old one goes",
    async (file) => {
      const root = await makeSources();
      await cachedText(root, () => Promise.resolve("old"));
      await writeFile(join(root, file), "changed");
      expect(await cachedText(root, () => Promise.resolve("new"))).toBe("new");
      expect(await readdir(join(root, ".audit-forwarder/policy"))).toHaveLength(1);
    },
  );

  it("is built each time if it cannot be stored", async () => {
    const root = await makeSources();
    await writeFile(join(root, ".audit-forwarder"), "a file in the way");
    expect(await cachedText(root, () => Promise.resolve("first"))).toBe("first");
    expect(await cachedText(root, () => Promise.resolve("second"))).toBe("second");
  });

  it("is not stored if the build failed", async () => {
    const root = await makeSources();
    await expect(cachedText(root, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(await cachedText(root, () => Promise.resolve("mended"))).toBe("mended");
  });
});
