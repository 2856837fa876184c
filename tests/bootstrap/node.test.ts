import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CI_OK, errorLines, installsNode, makeCopy, NODE_FILE, PINNED_NODE, type Copy } from "./harness.ts";

const OLD = { nodeVersion: "20.20.2" };
const SHOW_NODE = "console.log(process.version);";

/** A program that leaves a trace when it runs, and otherwise does what the pinned Node does. */
const impostorIn = (copy: Copy): string => PINNED_NODE.replace("\n", `\ntouch '${copy.root}/impostor-ran'\n`);

describe("on a Node older than 24", () => {
  it("carries on under the pinned Node 24", async () => {
    const copy = await makeCopy({}, SHOW_NODE);
    const { exitCode, stdout, stderr } = await copy.run(["bench"], OLD);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${process.version}\n` });
    expect(stderr).toMatch(/^installing Node 24\.\d+\.\d+, because this one is 20\.20\.2/);
  });

  it("installs it before the packages, so that npm itself runs on it", async () => {
    const copy = await makeCopy({ ci: `command -v node > ci-node; ${CI_OK}` });
    await copy.run(["bench"], OLD);
    expect(await copy.npmCalls()).toEqual(["--version", "node", "ci"]);
    expect(await copy.read("ci-node")).toBe(`${join(copy.root, NODE_FILE)}\n`);
  });

  it("keeps install scripts off", async () => {
    const copy = await makeCopy({});
    await copy.run(["bench"], OLD);
    expect((await copy.read(".audit-forwarder/setup.log")).match(/npm ci --ignore-scripts/g)).toHaveLength(2);
  });

  it("keeps it, so that later runs do not call npm", async () => {
    const copy = await makeCopy({}, SHOW_NODE);
    await copy.run(["bench"], OLD);
    const calls = await copy.npmCalls();
    const { stdout, stderr } = await copy.run(["bench"], OLD);
    expect({ stdout, stderr }).toEqual({ stdout: `${process.version}\n`, stderr: "" });
    expect(await copy.npmCalls()).toEqual(calls);
  });

  it("explains a missing network like any other failure of npm", async () => {
    const copy = await makeCopy({ node: "echo 'npm error code EAI_AGAIN' >&2; exit 1" });
    const { stderr } = await copy.run(["bench"], OLD);
    expect(errorLines(stderr)[0]).toMatch(/^error\[npm_unreachable\]: .* \(while installing Node 24/);
  });
});

describe("the pinned Node", () => {
  it("never runs if its binary is not the pinned one, and is not kept", async () => {
    const copy = await makeCopy({});
    await copy.useNpm({ node: installsNode(impostorIn(copy)) });
    for (const attempt of [1, 2]) {
      const { exitCode, stderr } = await copy.run(["bench"], OLD);
      expect({ attempt, exitCode }).toEqual({ attempt, exitCode: 1 });
      expect(errorLines(stderr)).toEqual([
        'error[node_mismatch]: the binary of "node-pinned@24.0.1" does not have the pinned hash; check "npm config get registry" or install Node 24, and run the command again',
      ]);
    }
    expect(copy.has("impostor-ran")).toBe(false);
    expect(copy.has(NODE_FILE)).toBe(false);
  });

  it.each(["swapped", "missing", "truncated"])("is installed again if its binary is %s", async (damage) => {
    const copy = await makeCopy({}, SHOW_NODE);
    await copy.run(["bench"], OLD);
    const binary = join(copy.root, NODE_FILE);
    const text = { swapped: impostorIn(copy), missing: undefined, truncated: PINNED_NODE.slice(0, -4) }[damage];
    if (text === undefined) await copy.remove(NODE_FILE);
    else await writeFile(binary, text);
    expect((await copy.run(["bench"], OLD)).stdout).toBe(`${process.version}\n`);
    expect((await copy.npmCalls()).filter((call) => call === "node")).toHaveLength(2);
    expect(copy.has("impostor-ran")).toBe(false);
    expect(await copy.read(NODE_FILE)).toBe(PINNED_NODE);
  });

  it("is not looked for where a file says", async () => {
    const copy = await makeCopy({}, SHOW_NODE);
    await copy.write("elsewhere/node", impostorIn(copy));
    await chmod(join(copy.root, "elsewhere/node"), 0o755);
    await copy.write(".audit-forwarder/node-path", join(copy.root, "elsewhere/node"));
    expect((await copy.run(["bench"], OLD)).stdout).toBe(`${process.version}\n`);
    expect(copy.has("impostor-ran")).toBe(false);
  });

  it("is not kept if it does not run on this machine", async () => {
    const copy = await makeCopy({});
    const broken = "#!/nonexistent/interpreter\n";
    await copy.useNpm({ node: installsNode(broken) });
    await copy.pinNode({ text: broken });
    const { exitCode, stderr } = await copy.run(["bench"], OLD);
    expect(exitCode).toBe(1);
    expect(errorLines(stderr)[0]).toMatch(
      /^error\[node_unavailable\]: "node-pinned@24\.0\.1" does not run on \w+-\w+; install Node 24 and run the command again$/,
    );
    expect(copy.has(NODE_FILE)).toBe(false);
  });

  it("must be installed by hand on a platform for which none is pinned", async () => {
    const copy = await makeCopy({});
    const preload = 'Object.defineProperty(process, "arch", { value: "mips" });';
    const { exitCode, stderr } = await copy.run(["bench"], { ...OLD, preload });
    expect(exitCode).toBe(1);
    expect(errorLines(stderr)[0]).toMatch(
      /^error\[node_unavailable\]: no Node 24 is pinned for \w+-mips; install Node 24 and run the command again$/,
    );
    expect(await copy.npmCalls()).toEqual(["--version"]);
  });
});

describe("on Node 24 and newer", () => {
  it.each(["24.0.0", "26.10.0"])("%s is used as it is", async (nodeVersion) => {
    const copy = await makeCopy({ node: "exit 1" }, SHOW_NODE);
    const { stdout } = await copy.run(["bench"], { nodeVersion });
    expect(stdout).toBe(`${process.version}\n`);
    expect(await copy.npmCalls()).not.toContain("node");
  });

  it("every child finds the same Node first on PATH", async () => {
    const task =
      'import { execSync } from "node:child_process"; console.log(String(execSync("command -v node")).trim());';
    const copy = await makeCopy({}, task);
    expect((await copy.run(["bench"])).stdout.trim()).toBe(process.execPath);
  });
});
