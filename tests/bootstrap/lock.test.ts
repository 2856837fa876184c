import { spawnSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CI_OK, makeCopy, until } from "./harness.ts";

/** Fails where another npm is under way; ends once the file `go` exists. */
const EXCLUSIVE_CI = `mkdir busy || exit 1; touch ci-runs; while [ ! -e go ]; do sleep 0.05; done; ${CI_OK}; rmdir busy`;
const LOCK = ".audit-forwarder/setup.lock";

const deadPid = (): number => spawnSync(process.execPath, ["--version"]).pid;

describe("two set-ups at the same time", () => {
  it("install once: the second waits, says so, and goes on with the first one's packages", async () => {
    const copy = await makeCopy({ ci: EXCLUSIVE_CI });
    const first = copy.start(["bench"]);
    await until("npm runs", () => copy.has("ci-runs"));
    const second = copy.start(["bench"]);
    await second.saw(`waiting for the set-up that runs in process ${first.process.pid}`);
    await copy.write("go", "");
    for (const { exitCode, stdout } of await Promise.all([first.ended, second.ended])) {
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "task ran\n" });
    }
    expect((await copy.npmCalls()).filter((call) => call === "ci")).toHaveLength(1);
  });

  it("a second one installs itself where the first one failed", async () => {
    const copy = await makeCopy({ ci: "touch ci-runs; while [ ! -e go ]; do sleep 0.05; done; exit 1" });
    const first = copy.start(["bench"]);
    await until("npm runs", () => copy.has("ci-runs"));
    const second = copy.start(["bench"]);
    await second.saw("waiting");
    await copy.useNpm({});
    await copy.write("go", "");
    expect((await first.ended).exitCode).toBe(1);
    expect((await second.ended).exitCode).toBe(0);
  });

  it("leave no lock and no other file of theirs behind", async () => {
    const copy = await makeCopy({});
    await Promise.all([copy.run(["bench"]), copy.run(["bench"]), copy.run(["bench"])]);
    expect((await readdir(join(copy.root, ".audit-forwarder"))).toSorted()).toEqual(["compile-cache", "setup.log"]);
  });
});

describe("a lock whose process is gone", () => {
  it("is taken over", async () => {
    const copy = await makeCopy({});
    await copy.write(LOCK, String(deadPid()));
    const { exitCode, stderr } = await copy.run(["bench"]);
    expect(exitCode).toBe(0);
    expect(stderr).not.toContain("waiting");
  });

  it("is taken over by one of many only", async () => {
    const copy = await makeCopy({ ci: `mkdir busy || exit 1; sleep 0.1; ${CI_OK}; rmdir busy` });
    await copy.write(LOCK, String(deadPid()));
    const runs = await Promise.all(Array.from({ length: 5 }, () => copy.run(["bench"])));
    expect(runs.map((run) => run.exitCode)).toEqual([0, 0, 0, 0, 0]);
    expect((await copy.npmCalls()).filter((call) => call === "ci")).toHaveLength(1);
  });

  it("is taken over even where an heir died in the middle of that", async () => {
    const copy = await makeCopy({});
    const dead = deadPid();
    await copy.write(LOCK, String(dead));
    await copy.write(`${LOCK}.heir-of-${dead}`, String(deadPid()));
    expect((await copy.run(["bench"])).exitCode).toBe(0);
  });
});

describe("where nothing has to be installed", () => {
  it("a held lock keeps nobody waiting", async () => {
    const copy = await makeCopy({});
    await copy.run(["bench"]);
    await copy.write(LOCK, String(process.pid));
    expect(await copy.run(["bench"])).toMatchObject({ exitCode: 0, stderr: "" });
  });
});
