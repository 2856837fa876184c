import { describe, expect, it } from "vitest";
import { HANG, isRunning, makeCopy, until } from "./harness.ts";

/** Says its process id, then waits; on a signal it says so and exits with 7. */
const PATIENT = `
  const alive = setInterval(() => {}, 1000);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => { console.log("got " + signal); clearInterval(alive); process.exitCode = 7; });
  }
  console.log("pid " + process.pid + " ready");`;
/** Says its process id, then waits, and handles no signal. */
const HEEDLESS = 'setInterval(() => {}, 1000); console.log("pid " + process.pid + " ready");';

const pidIn = (stdout: string): number => Number(/pid (\d+)/.exec(stdout)?.[1]);

describe("a signal while the task runs", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s reaches it, once, and its exit code is ours",
    async (signal) => {
      const copy = await makeCopy({}, PATIENT);
      const running = copy.start(["bench"]);
      await running.saw("ready");
      running.process.kill(signal);
      const { exitCode, stdout } = await running.ended;
      expect(exitCode).toBe(7);
      expect(stdout.split("\n").slice(1)).toEqual([`got ${signal}`, ""]);
      expect(await isRunning(pidIn(stdout))).toBe(false);
    },
  );

  it("is one signal even where npm, the shell and the terminal each deliver it", async () => {
    const copy = await makeCopy(
      {},
      PATIENT.replace("clearInterval(alive);", "setTimeout(() => clearInterval(alive), 300);"),
    );
    const running = copy.start(["bench"]);
    await running.saw("ready");
    running.process.kill("SIGTERM");
    await running.saw("got SIGTERM");
    running.process.kill("SIGTERM");
    const { stdout } = await running.ended;
    expect(stdout.match(/got/g)).toHaveLength(1);
  });

  it("does not cut a stop short where it comes twice, to the whole process group and passed on", async () => {
    const task = `
      const alive = setInterval(() => {}, 1000);
      process.once("SIGTERM", () => setTimeout(() => { console.log("stopped in peace"); clearInterval(alive); }, 400));
      console.log("pid " + process.pid + " ready");`;
    const copy = await makeCopy({}, task);
    const running = copy.start(["bench"]);
    await running.saw("ready");
    process.kill(-(running.process.pid ?? 0), "SIGTERM");
    expect(await running.ended).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("stopped in peace") });
  });

  it("stops the task where the shell between npm and us ends without passing it on", async () => {
    const copy = await makeCopy({}, PATIENT);
    await copy.write("shell.sh", `'${process.execPath}' cli/bootstrap/run.mjs bench > output; true`);
    const shell = copy.start([], { command: ["/bin/sh", "shell.sh"] });
    const output = (): Promise<string> => copy.read("output").catch(() => "");
    await until("the task runs", async () => (await output()).includes("ready"));
    shell.process.kill("SIGTERM");
    await until("the task has stopped", async () => (await output()).includes("got SIGTERM"));
    const pid = pidIn(await output());
    await until("it is gone", async () => !(await isRunning(pid)));
    expect(await output()).toMatch(/ready\ngot SIGTERM\n$/);
  });

  it.each([
    { signal: "SIGINT", code: 130 },
    { signal: "SIGTERM", code: 143 },
    { signal: "SIGHUP", code: 129 },
  ] as const)("$signal that ends the task is exit code $code", async ({ signal, code }) => {
    const copy = await makeCopy({}, HEEDLESS);
    const running = copy.start(["bench"]);
    await running.saw("ready");
    running.process.kill(signal);
    const { exitCode, stdout } = await running.ended;
    expect(exitCode).toBe(code);
    expect(await isRunning(pidIn(stdout))).toBe(false);
  });

  it("a task that kills itself gives 128 + n too", async () => {
    const copy = await makeCopy({}, 'process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);');
    expect((await copy.run(["bench"])).exitCode).toBe(137);
  });
});

describe("a signal during the set-up", () => {
  it.each([
    { signal: "SIGINT", code: 130 },
    { signal: "SIGTERM", code: 143 },
  ] as const)("$signal stops npm, frees the lock and exits with $code", async ({ signal, code }) => {
    const copy = await makeCopy({ ci: HANG });
    const running = copy.start(["bench"]);
    await until("npm runs", () => copy.has("hanging"));
    running.process.kill(signal);
    const { exitCode, stderr, stdout } = await running.ended;
    expect(exitCode).toBe(code);
    expect(stdout).toBe("");
    expect(stderr).toContain("error[interrupted]: stopped while installing the packages; run the command again");
    expect(await isRunning(Number(await copy.read("hanging")))).toBe(false);
    expect(copy.has(".audit-forwarder/setup.lock")).toBe(false);
  });
});
