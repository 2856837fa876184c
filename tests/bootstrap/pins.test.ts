import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { REPOSITORY } from "./harness.ts";

interface Entry {
  readonly integrity?: string;
  readonly inBundle?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
}

/** A package that the registry did not have for another platform when the lockfile was written. */
const isForeign = ({ optional, os = ["linux"], cpu = ["x64"] }: Entry): boolean =>
  optional === true && !(os.includes("linux") && cpu.includes("x64"));

describe("everything that the set-up installs on Linux is pinned by its hash", () => {
  it.each(["package-lock.json", "dev/gateway/project/package-lock.json"])("%s", async (file) => {
    const lockfile = JSON.parse(await readFile(join(REPOSITORY, file), "utf8")) as { packages: Record<string, Entry> };
    const installed = Object.entries(lockfile.packages).filter(
      ([path, entry]) => path !== "" && !entry.inBundle && !isForeign(entry),
    );
    expect(installed.length).toBeGreaterThan(100);
    expect(installed.filter(([, { integrity = "" }]) => !integrity.startsWith("sha512-"))).toEqual([]);
  });

  it.each(["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "win32-x64"])(
    "Node 24 for %s",
    async (platform) => {
      const pins = JSON.parse(await readFile(join(REPOSITORY, "cli/bootstrap/node-pins.json"), "utf8")) as object;
      expect(pins).toHaveProperty(platform, {
        name: expect.stringMatching(/^node-/),
        version: expect.stringMatching(/^24\.\d+\.\d+$/),
        integrity: expect.stringMatching(/^sha512-[\w+/]{86}==$/),
        binary: expect.stringMatching(/^bin\/node(\.exe)?$/),
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
    },
  );
});
