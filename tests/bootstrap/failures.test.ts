import { describe, expect, it } from "vitest";
import { errorLines, makeCopy, type FakeNpm } from "./harness.ts";

const AGAIN = "run the command again";
const fails = (output: string): string => `echo 'npm error ${output}' >&2; exit 1`;

const failures: readonly { name: string; npm: FakeNpm; code: string; fix: string }[] = [
  { name: "no network", npm: { ci: fails("code ENOTFOUND") }, code: "npm_unreachable", fix: "check the network" },
  { name: "no name server", npm: { ci: fails("code EAI_AGAIN") }, code: "npm_unreachable", fix: "check the network" },
  { name: "refused", npm: { ci: fails("code ECONNREFUSED") }, code: "npm_unreachable", fix: "the proxy" },
  { name: "timeout", npm: { ci: fails("code ERR_SOCKET_TIMEOUT") }, code: "npm_unreachable", fix: "the proxy" },
  { name: "registry answers 503", npm: { ci: fails("code E503") }, code: "npm_unreachable", fix: "the proxy" },
  {
    name: "unknown certificate",
    npm: { ci: fails("code SELF_SIGNED_CERT_IN_CHAIN") },
    code: "npm_unreachable",
    fix: '"NODE_EXTRA_CA_CERTS"',
  },
  { name: "full disk", npm: { ci: fails("ENOSPC: no space left") }, code: "disk_full", fix: "free 2 GB" },
  { name: "no right to write", npm: { ci: fails("code EACCES") }, code: "not_writable", fix: "fix its owner" },
  {
    name: "damaged cache, or another package than the pinned one",
    npm: { ci: fails("code EINTEGRITY") },
    code: "npm_cache_damaged",
    fix: '"npm cache clean --force"',
  },
  {
    name: "lockfile behind",
    npm: { ci: fails("code EUSAGE") },
    code: "lockfile_out_of_step",
    fix: 'run "npm install"',
  },
  {
    name: "package not there",
    npm: { ci: fails("code E404") },
    code: "package_missing",
    fix: '"npm config get registry"',
  },
  {
    name: "anything else",
    npm: { ci: fails("code EWHATEVER") },
    code: "install_failed",
    fix: "read .audit-forwarder/setup.log",
  },
  { name: "npm 6", npm: { version: "6.14.18" }, code: "npm_too_old", fix: '"npm install --global npm@11"' },
  { name: "npm 8", npm: { version: "8.19.4" }, code: "npm_too_old", fix: '"npm install --global npm@11"' },
];

describe("a set-up that cannot succeed", () => {
  it.each(failures)("says so in one line with the fix: $name → $code", async ({ npm, code, fix }) => {
    const copy = await makeCopy(npm);
    const { exitCode, stdout, stderr } = await copy.run(["bench"]);
    expect(exitCode).toBe(1);
    expect(stdout).toBe("");
    const lines = errorLines(stderr);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(new RegExp(`^error\\[${code}\\]: [^A-Z]`));
    expect(lines[0]).toContain(fix);
    expect(lines[0]).toContain(AGAIN);
    expect(stderr).not.toContain("    at ");
  });

  it("keeps npm's own words in the log that the line names", async () => {
    const copy = await makeCopy({ ci: fails("code EWHATEVER a long story") });
    await copy.run(["bench"]);
    expect(await copy.read(".audit-forwarder/setup.log")).toContain("a long story");
  });

  it("leaves nothing that looks installed, so that the next run installs", async () => {
    const copy = await makeCopy({ ci: fails("code ENOTFOUND") });
    await copy.run(["bench"]);
    await copy.useNpm({});
    const { exitCode, stdout } = await copy.run(["bench"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "task ran\n" });
  });

  it("names npm where there is none", async () => {
    const copy = await makeCopy({});
    const { exitCode, stderr } = await copy.run(["bench"], { env: { PATH: "/nonexistent" } });
    expect(exitCode).toBe(1);
    expect(errorLines(stderr)).toEqual([
      "error[npm_missing]: npm is not on PATH; install Node 24, which brings it, and run the command again",
    ]);
  });

  it("refuses a Node that is too old before anything else", async () => {
    const copy = await makeCopy({});
    const { exitCode, stderr } = await copy.run(["bench"], { nodeVersion: "18.20.8" });
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      "error[node_too_old]: Node 18.20.8 is too old; install Node 24 (20 or newer is enough) and run the command again\n",
    );
    expect(await copy.npmCalls()).toEqual([]);
  });

  it.each([
    { code: "ENOSPC", line: "error[disk_full]: the disk is full; free 2 GB and run the command again" },
    {
      code: "EROFS",
      line: 'error[not_writable]: "/some/folder" cannot be written; fix its owner or its permissions and run the command again',
    },
  ])("explains a file of its own that cannot be written: $code", async ({ code, line }) => {
    const copy = await makeCopy({});
    const preload = `
      import fs from "node:fs";
      import { syncBuiltinESMExports } from "node:module";
      fs.mkdirSync = () => { throw Object.assign(new Error("no"), { code: "${code}", path: "/some/folder" }); };
      syncBuiltinESMExports();`;
    const { exitCode, stderr } = await copy.run(["bench"], { preload });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: `${line}\n` });
  });
});

describe("wrong use", () => {
  it.each([
    { args: ["nope"], line: 'error[unknown_task]: "nope" is not a task; use one of:' },
    { args: [], line: "error[unknown_task]: the task is missing; use one of:" },
    { args: ["toString"], line: 'error[unknown_task]: "toString" is not a task; use one of:' },
    {
      args: ["check", "--fast"],
      line: 'error[unexpected_argument]: "check" takes no argument "--fast"; run it without',
    },
  ])("$args → exit 2", async ({ args, line }) => {
    const copy = await makeCopy({});
    const { exitCode, stderr } = await copy.run(args);
    expect(exitCode).toBe(2);
    expect(stderr.split("\n")[0]).toBe(line);
    expect(await copy.npmCalls()).toEqual([]);
  });

  it("lists the tasks", async () => {
    const copy = await makeCopy({});
    const { stderr } = await copy.run(["nope"]);
    for (const name of ["demo", "dev", "test", "build", "bench", "check", "format", "deploy", "cli"]) {
      expect(stderr).toMatch(new RegExp(`^  ${name} +\\w`, "m"));
    }
  });
});
