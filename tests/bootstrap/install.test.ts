import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CI_OK, HANG, LOCKFILE_TEXT, makeCopy, NEWER_LOCKFILE_TEXT, until, type Copy } from "./harness.ts";

const installs = async (copy: Copy): Promise<number> => (await copy.npmCalls()).filter((call) => call === "ci").length;
const INSTALLED_BY_HAND = JSON.stringify({
  packages: { "node_modules/one": { version: "1.0.0", integrity: "sha512-one" } },
});

const optional = (os: string): string =>
  LOCKFILE_TEXT.replace(
    '"node_modules/one"',
    `"node_modules/two":{"version":"1.0.0","optional":true,"os":["${os}"],"cpu":["${process.arch}"]},"node_modules/one"`,
  );
describe("installing", () => {
  it("installs a fresh clone, then runs the task", async () => {
    const copy = await makeCopy({});
    const { exitCode, stdout } = await copy.run(["bench"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "task ran\n" });
    expect(await copy.npmCalls()).toEqual(["--version", "ci"]);
  });

  it("calls npm no second time and prints nothing of its own", async () => {
    const copy = await makeCopy({});
    await copy.run(["bench"]);
    const { stderr } = await copy.run(["bench"]);
    expect(stderr).toBe("");
    expect(await copy.npmCalls()).toEqual(["--version", "ci"]);
  });

  it("runs without HOME and with nothing but PATH in the environment", async () => {
    const copy = await makeCopy({}, "console.log(process.env.HOME);");
    expect((await copy.run(["bench"])).stdout).toBe("undefined\n");
  });

  it("keeps install scripts off and takes development packages even under NODE_ENV=production", async () => {
    const copy = await makeCopy({});
    await copy.run(["bench"], { env: { NODE_ENV: "production" } });
    const log = await copy.read(".audit-forwarder/setup.log");
    for (const flag of ["--ignore-scripts", "--include=dev", "--include=optional"]) expect(log).toContain(flag);
  });
});

describe("installing again", () => {
  const cases: readonly { name: string; change: (copy: Copy) => Promise<void> }[] = [
    { name: "the lockfile changed", change: (copy) => copy.write("package-lock.json", NEWER_LOCKFILE_TEXT) },
    { name: "the packages are gone", change: (copy) => rm(join(copy.root, "node_modules"), { recursive: true }) },
    {
      name: "npm's own list of them is gone, as after an interrupted npm",
      change: (copy) => rm(join(copy.root, "node_modules/.package-lock.json")),
    },
    {
      name: "they were pruned by hand",
      change: (copy) => copy.write("node_modules/.package-lock.json", '{"packages":{}}'),
    },
  ];
  it.each(cases)("happens where $name", async ({ change }) => {
    const copy = await makeCopy({});
    await copy.run(["bench"]);
    await change(copy);
    expect((await copy.run(["bench"])).exitCode).toBe(0);
    expect(await installs(copy)).toBe(2);
    await copy.run(["bench"]);
    expect(await installs(copy)).toBe(2);
  });

  it("happens after a set-up that was killed while npm ran", async () => {
    const copy = await makeCopy({ ci: `${CI_OK}; rm node_modules/.package-lock.json; ${HANG}` });
    const first = copy.start(["bench"]);
    await until("npm runs", () => copy.has("hanging"));
    first.process.kill("SIGKILL");
    await first.ended;
    process.kill(Number(await copy.read("hanging")), "SIGKILL");
    await copy.useNpm({});
    expect((await copy.run(["bench"])).exitCode).toBe(0);
    expect(await installs(copy)).toBe(2);
  });

  it("removes npm's list before npm starts, so that a half-cleared folder never counts as installed", async () => {
    const copy = await makeCopy({});
    await copy.run(["bench"]);
    await copy.write("package-lock.json", NEWER_LOCKFILE_TEXT);
    await copy.useNpm({ ci: "test ! -e node_modules/.package-lock.json && echo gone > seen; exit 1" });
    await copy.run(["bench"]);
    expect(await copy.read("seen")).toBe("gone\n");
  });
});

describe("an installation made by hand", () => {
  it("counts where it holds what the lockfile says", async () => {
    const copy = await makeCopy({});
    await copy.write("node_modules/.package-lock.json", INSTALLED_BY_HAND);
    expect((await copy.run(["bench"])).stdout).toBe("task ran\n");
    expect(await copy.npmCalls()).toEqual([]);
  });

  it.each([
    { name: "another version", installed: INSTALLED_BY_HAND.replace("1.0.0", "2.0.0") },
    { name: "another content", installed: INSTALLED_BY_HAND.replace("sha512-one", "sha512-two") },
    { name: "a package less", installed: '{"packages":{}}' },
  ])("does not count with $name", async ({ installed }) => {
    const copy = await makeCopy({});
    await copy.write("node_modules/.package-lock.json", installed);
    await copy.run(["bench"]);
    expect(await installs(copy)).toBe(1);
  });

  it.each([
    { os: "plan9", calls: 0, name: "may lack packages for other machines" },
    {
      os: process.platform,
      calls: 1,
      name: "may not lack a package for this machine, as in a folder that came from another",
    },
  ])("$name", async ({ os, calls }) => {
    const copy = await makeCopy({});
    await copy.write("package-lock.json", optional(os));
    await copy.write("node_modules/.package-lock.json", INSTALLED_BY_HAND);
    await copy.run(["bench"]);
    expect(await installs(copy)).toBe(calls);
  });
});

describe("a lockfile", () => {
  it("is warned of if it pins no hash for a package of this platform", async () => {
    const copy = await makeCopy({});
    await copy.write("package-lock.json", optional(process.platform));
    expect((await copy.run(["bench"])).stderr).toMatch(
      /^warning: "package-lock\.json" pins no hash for two@1\.0\.0 on this platform$/m,
    );
    await copy.write("package-lock.json", optional("plan9"));
    expect((await copy.run(["bench"])).stderr).not.toContain("warning");
  });
});

describe("the Zuplo project", () => {
  const GATEWAY = "dev/gateway/project";

  it.each([
    { task: "bench", where: [".", GATEWAY] },
    { task: "build", where: ["."] },
    { task: "cli", where: ["."] },
  ])("is installed for $task only where that needs it: $where", async ({ task, where }) => {
    const copy = await makeCopy({});
    await copy.write("cli/main.ts", "");
    await copy.write(`${GATEWAY}/package-lock.json`, LOCKFILE_TEXT);
    await copy.useNpm({ ci: `pwd >> '${copy.root}/where'; ${CI_OK}` });
    await copy.run([task]);
    const folders = (await copy.read("where")).trim().split("\n");
    expect(folders).toEqual(where.map((folder) => join(copy.root, folder)));
  });
});
