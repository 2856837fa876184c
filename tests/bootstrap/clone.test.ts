import { execFile } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { REPOSITORY } from "./harness.ts";

const run = promisify(execFile);
const NOT_CLONED = new Set(["node_modules", ".git", ".audit-forwarder", ".wrangler", ".vitest", ".zuplo", "dist"]);

/** Node 20 or 22 with npm beside it, where this machine has one; else the running Node says that it is Node 20. */
async function oldNode(): Promise<{ directory: string; env: Record<string, string> }> {
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin", "/usr/local/bin"];
  const managed = globSync(join(homedir(), ".nvm/versions/node/v2{0,2}.*/bin"));
  for (const directory of [...directories, ...managed]) {
    const file = join(directory, "node");
    if (!existsSync(file) || !existsSync(join(directory, "npm"))) continue;
    const version = (await run(file, ["--version"])).stdout.trim();
    if (/^v2[0-3]\./.test(version)) return { directory, env: {} };
  }
  const pretend = `Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.2"}})`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(pretend)}` };
  return { directory: dirname(process.execPath), env };
}

it("a clone without packages sets itself up from the real registry on an old Node, with an empty environment", async () => {
  const base = await mkdtemp(join(tmpdir(), "real clone "));
  onTestFinished(() => rm(base, { recursive: true, force: true }));
  const clone = join(base, "clone");
  await cp(REPOSITORY, clone, { recursive: true, filter: (file) => !NOT_CLONED.has(file.split("/").at(-1) ?? "") });
  const { directory, env } = await oldNode();
  const PATH = [directory, process.env["PATH"]].join(delimiter);
  const options = { cwd: clone, env: { PATH, HOME: homedir(), npm_config_update_notifier: "false", ...env } };
  const first = await run("npm", ["run", "format", "--", "--check", "package.json"], options);
  expect(first.stderr).toMatch(/^done installing Node 24\.\S+, because this one is 2[0-3]\./m);
  expect(first.stderr).toMatch(/^done installing the packages, \d+ s$/m);
  expect(first.stderr).not.toContain("EBADENGINE");
  expect(first.stdout).toContain("All matched files use Prettier code style!");
  const second = await run("npm", ["run", "format", "--", "--check", "package.json"], options);
  expect(second.stderr).toBe("");
}, 900_000);
