import { execFile } from "node:child_process";
import { readdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { LOCKFILE_TEXT, makeCopy, REPOSITORY } from "./harness.ts";

const SHOW_ARGUMENTS = "console.log(JSON.stringify(process.argv.slice(2)));";

describe("a task", () => {
  it("gets its arguments as they are", async () => {
    const copy = await makeCopy({}, SHOW_ARGUMENTS);
    const args = ["--json", "--name=a b", "", "*", "--", "-x"];
    expect((await copy.run(["bench", ...args])).stdout).toBe(`${JSON.stringify(args)}\n`);
  });

  it("gives its exit code", async () => {
    const copy = await makeCopy({}, "process.exitCode = 3;");
    expect((await copy.run(["bench"])).exitCode).toBe(3);
  });

  it("runs in the repository, wherever it was called", async () => {
    const copy = await makeCopy({}, "console.log(process.cwd());");
    expect((await copy.run(["bench"], { cwd: "/" })).stdout).toBe(`${copy.root}\n`);
  });

  it.each(["WRANGLER_SEND_METRICS", "ZUPLO_DO_NOT_TRACK"])(
    "keeps tools from reporting to their makers: %s",
    async (name) => {
      const copy = await makeCopy({}, `console.log(process.env.${name});`);
      expect((await copy.run(["bench"])).stdout).toMatch(/^(false|1)\n$/);
      expect((await copy.run(["bench"], { env: { [name]: "mine" } })).stdout).toBe("mine\n");
    },
  );

  it("leaves its compiled code for the next time, in the caller's folder where the caller names one", async () => {
    const copy = await makeCopy({});
    await copy.run(["bench"]);
    const kept = await readdir(join(copy.root, ".audit-forwarder/compile-cache"), { recursive: true });
    expect(kept.length).toBeGreaterThan(1);
    await copy.run(["bench"], { env: { NODE_COMPILE_CACHE: join(copy.root, "mine") } });
    expect(await readdir(join(copy.root, "mine"))).toHaveLength(1);
  });

  it("keeps its own stdout clean: progress goes to stderr", async () => {
    const copy = await makeCopy({});
    const { stdout, stderr } = await copy.run(["bench"]);
    expect(stdout).toBe("task ran\n");
    expect(stderr).toMatch(/^installing the packages \.\.\.\ndone installing the packages, \d+ s\n$/);
  });
});

describe("an error at a task's top", () => {
  it.each([
    {
      name: "an expected error is one line",
      task: 'import { AuditError } from "../shared/errors.ts"; throw new AuditError("port_taken", "port 9000 is in use; stop it");',
      stderr: /^error\[port_taken\]: port 9000 is in use; stop it\n$/,
    },
    {
      name: "also as a rejection",
      task: 'import { AuditError } from "../shared/errors.ts"; void Promise.reject(new AuditError("timeout", "too late"));',
      stderr: /^error\[timeout\]: too late\n$/,
    },
    {
      name: "a taken port is named even where nobody made an error of ours from it",
      task: `import { createServer } from "node:net";
        const one = createServer().listen(0, "127.0.0.1", () => createServer().listen(one.address().port, "127.0.0.1"));`,
      stderr: /^error\[port_taken\]: port \d+ is in use; stop what listens there and run the command again\n$/,
    },
    { name: "anything else keeps its stack", task: 'throw new TypeError("a bug");', stderr: /TypeError: a bug\n +at / },
  ])("$name", async ({ task, stderr }) => {
    const copy = await makeCopy({}, task);
    await copy.write("node_modules/.package-lock.json", LOCKFILE_TEXT);
    const ended = await copy.run(["bench"]);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(stderr);
  });
});

describe("the command audit-forwarder", () => {
  it("runs in the caller's directory, through a link, with its arguments", async () => {
    const copy = await makeCopy({});
    await copy.write("cli/main.ts", "console.log(JSON.stringify([process.cwd(), ...process.argv.slice(2)]));");
    const link = join(dirname(copy.root), "audit-forwarder");
    await symlink(join(copy.root, "cli/bin.mjs"), link);
    const { stdout, exitCode } = await copy.run(["init", "./project"], { script: link, cwd: dirname(copy.root) });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual([dirname(copy.root), "init", "./project"]);
  });
});

describe("wrangler", () => {
  it("is the pinned one, with its arguments", async () => {
    const copy = await makeCopy({});
    await copy.run(["bench"]);
    await copy.write("node_modules/wrangler/bin/wrangler.js", SHOW_ARGUMENTS);
    const args = ["secret", "put", "WORKOS_API_KEY", "--env", "production"];
    expect(await copy.run(["wrangler", ...args])).toMatchObject({ exitCode: 0, stdout: `${JSON.stringify(args)}\n` });
  });
});

describe("deploy", () => {
  it("asks and sets nothing in a build of Cloudflare's deploy button, but does what its arguments say", async () => {
    const copy = await makeCopy({});
    await copy.run(["bench"]);
    await copy.write("node_modules/wrangler/bin/wrangler.js", SHOW_ARGUMENTS);
    await copy.write("cli/main.ts", SHOW_ARGUMENTS);
    const shown = async (args: readonly string[], env: Readonly<Record<string, string>>): Promise<unknown> =>
      JSON.parse((await copy.run(["deploy", ...args], { env })).stdout);
    expect(await shown([], { WORKERS_CI: "1" })).toEqual(["deploy", "--env="]);
    expect(await shown(["--env", "staging"], { WORKERS_CI: "1" })).toEqual(["deploy", "--env", "staging"]);
    expect(await shown([], {})).toEqual(["deploy"]);
  });
});

describe("check", () => {
  it("goes on after a failed step, shows only what failed, and fails", async () => {
    const copy = await makeCopy({});
    await copy.run(["bench"]);
    await copy.write("node_modules/prettier/bin/prettier.cjs", 'console.log("unformatted.ts"); process.exitCode = 2;');
    await copy.write("node_modules/oxlint/bin/oxlint", 'console.log("lint is fine");');
    await copy.write("node_modules/typescript/bin/tsc", "process.exitCode = process.argv[3] === 'worker' ? 1 : 0;");
    for (const folder of [
      "worker",
      "worker/inner",
      "shared",
      "node_modules/a",
      "dev/gateway/project",
      "tests/fixtures/x",
    ]) {
      await copy.write(`${folder}/tsconfig.json`, "{}");
    }
    await copy.write("worker/tsconfig.other.json", "{}");
    await copy.write("docs/generate.ts", 'console.log(process.argv[2] + " is fine");');
    const { exitCode, stdout } = await copy.run(["check"]);
    expect(exitCode).toBe(2);
    expect(
      stdout
        .replaceAll(/ \(.*\)/g, "")
        .trim()
        .split("\n"),
    ).toEqual([
      "FAIL format",
      "unformatted.ts",
      "ok   lint",
      "ok   types cli/bootstrap",
      "ok   types shared",
      "FAIL types worker",
      "ok   types worker/tsconfig.other.json",
      "ok   types worker/inner",
      "ok   docs",
    ]);
  });
});

describe("package.json and .ci/run", () => {
  it("every npm script runs a task that exists", async () => {
    const { scripts } = JSON.parse(await readFile(join(REPOSITORY, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const copy = await makeCopy({});
    const tasks = (await copy.run([])).stderr;
    for (const [name, command] of Object.entries(scripts)) {
      expect(command).toBe(`node cli/bootstrap/run.mjs ${name}`);
      expect(tasks).toContain(`  ${name} `);
    }
  });

  it(".ci/run calls `npm test` in the repository from any directory", async () => {
    const copy = await makeCopy({});
    const PATH = `${join(dirname(copy.root), "bin")}:/usr/bin:/bin`;
    const { stdout } = await promisify(execFile)("bash", [join(copy.root, ".ci/run")], { cwd: "/", env: { PATH } });
    expect(stdout).toBe(`${copy.root}\ntest\n`);
  });
});
