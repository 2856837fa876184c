import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CI_OK, errorLines, EXEC_OK, makeCopy } from "./harness.ts";

const OLD = { nodeVersion: "20.20.2" };
const SHOW_NODE = "console.log(process.version);";

describe("on a Node older than 24", () => {
  it("carries on under Node 24 from npm", async () => {
    const copy = await makeCopy({}, SHOW_NODE);
    const { exitCode, stdout, stderr } = await copy.run(["bench"], OLD);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${process.version}\n` });
    expect(stderr).toMatch(/^getting Node 24\.\d+\.\d+, since this one is 20\.20\.2/);
  });

  it("takes it before the packages are installed, so that npm itself runs on it", async () => {
    const copy = await makeCopy({});
    const taken = join(copy.root, "../taken/node");
    await copy.write("../taken/node", `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
    await chmod(taken, 0o755);
    await copy.useNpm({ ci: `command -v node > ci-node; ${CI_OK}`, exec: `echo '${taken}'` });
    await copy.run(["bench"], OLD);
    expect(await copy.npmCalls()).toEqual(["--version", "exec", "ci"]);
    expect(await copy.read("ci-node")).toBe(`${taken}\n`);
  });

  it("takes the package that holds the binary itself, since install scripts are off", async () => {
    const copy = await makeCopy({});
    await copy.run(["bench"], OLD);
    expect(await copy.read(".audit-forwarder/setup.log")).toMatch(
      /npm exec --yes --prefer-offline --package=node(-bin)?-\w+-\w+@\S+ -- node -p process\.execPath/,
    );
  });

  it("remembers it, so that later runs call npm no more", async () => {
    const copy = await makeCopy({}, SHOW_NODE);
    await copy.run(["bench"], OLD);
    const calls = await copy.npmCalls();
    const { stdout, stderr } = await copy.run(["bench"], OLD);
    expect({ stdout, stderr }).toEqual({ stdout: `${process.version}\n`, stderr: "" });
    expect(await copy.npmCalls()).toEqual(calls);
  });

  it.each([
    { name: "is gone", path: "/nonexistent/node" },
    { name: "no longer runs", path: "/bin/false" },
    { name: "is something else", path: "/bin/echo" },
  ])("takes it again where the remembered one $name", async ({ path }) => {
    const copy = await makeCopy({}, SHOW_NODE);
    await copy.run(["bench"], OLD);
    await copy.write(".audit-forwarder/node-path", path);
    expect((await copy.run(["bench"], OLD)).stdout).toBe(`${process.version}\n`);
    expect((await copy.npmCalls()).filter((call) => call === "exec")).toHaveLength(2);
  });

  it("says that Node 24 has to be installed where npm's does not run here", async () => {
    const copy = await makeCopy({ exec: "echo /bin/false" });
    const { exitCode, stderr } = await copy.run(["bench"], OLD);
    expect(exitCode).toBe(1);
    expect(errorLines(stderr)[0]).toMatch(
      /^error\[node_unavailable\]: Node 24\.\S+ from npm does not run on \w+-\w+; install Node 24 and run the command again$/,
    );
  });

  it("explains a missing network like any other failure of npm", async () => {
    const copy = await makeCopy({ exec: "echo 'npm error code EAI_AGAIN' >&2; exit 1" });
    const { stderr } = await copy.run(["bench"], OLD);
    expect(errorLines(stderr)[0]).toMatch(/^error\[npm_unreachable\]: .* \(while getting Node 24/);
  });
});

describe("on Node 24 and newer", () => {
  it.each(["24.0.0", "26.10.0"])("%s is used as it is", async (nodeVersion) => {
    const copy = await makeCopy({ exec: "exit 1" }, SHOW_NODE);
    const { stdout } = await copy.run(["bench"], { nodeVersion });
    expect(stdout).toBe(`${process.version}\n`);
    expect(await copy.npmCalls()).not.toContain("exec");
  });

  it("every child finds the same Node first on PATH", async () => {
    const task =
      'import { execSync } from "node:child_process"; console.log(String(execSync("command -v node")).trim());';
    const copy = await makeCopy({ exec: EXEC_OK }, task);
    expect((await copy.run(["bench"])).stdout.trim()).toBe(process.execPath);
  });
});
