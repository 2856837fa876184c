import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import { describe, expect, it } from "vitest";
import { CI_OK, makeCopy, type Copy, type FakeNpm } from "./harness.ts";

/** A task that prints this gets a ctrl-c. */
const ASKS = "press ctrl-c";
/** Back to the line's start and wiped. */
const WIPE = "\r\u001b[K";
/** Ends when the terminal has shown enough. */
const SLOW_CI = `while [ ! -e go ]; do sleep 0.05; done; ${CI_OK}`;
const FRAME = /[|/\\-] installing the packages, \d+ s/g;

/** `enough` ends a slow npm. */
async function onTerminal(
  npm: FakeNpm,
  task?: string,
  enough = (_output: string): boolean => false,
): Promise<{ copy: Copy; output: string; exitCode: number }> {
  const copy = await makeCopy(npm, task);
  const PATH = `${join(copy.root, "../bin")}:/usr/bin:/bin`;
  const terminal = spawn(process.execPath, [join(copy.root, "cli/bootstrap/run.mjs"), "bench"], {
    cwd: copy.root,
    env: { PATH },
  });
  let output = "";
  terminal.onData((text) => {
    const asked = output.includes(ASKS);
    output += text;
    if (!asked && output.includes(ASKS)) terminal.write("\u0003");
    if (enough(output)) writeFileSync(join(copy.root, "go"), "");
  });
  const { exitCode } = await new Promise<{ exitCode: number }>((resolve) => terminal.onExit(resolve));
  return { copy, output, exitCode };
}

describe("progress on a terminal", () => {
  it("is one live line with the elapsed time, replaced by one that says it is done", async () => {
    const { output } = await onTerminal({ ci: SLOW_CI }, undefined, (seen) => (seen.match(FRAME)?.length ?? 0) >= 4);
    const frames = output.split(WIPE).filter((frame) => /^[|/\\-] installing the packages, \d+ s$/.test(frame));
    expect(frames.length).toBeGreaterThanOrEqual(3);
    expect(new Set(frames.map((frame) => frame[0])).size).toBeGreaterThanOrEqual(3);
    const [progress, ...rest] = output.split("\r\n");
    expect(progress?.split(WIPE).at(-1)).toMatch(/^done installing the packages, \d+ s$/);
    expect(rest).toEqual(["task ran", ""]);
  });

  it("is wiped before an error is said", async () => {
    const { output, exitCode } = await onTerminal({ ci: "sleep 0.3; exit 1" });
    expect(exitCode).toBe(1);
    expect(output.split(WIPE).at(-1)).toMatch(/^error\[install_failed\]: [^\r\n]+\r\n$/);
  });
});

describe("ctrl-c on a terminal", () => {
  it("lets the task stop in peace, although the terminal and the bootstrap both tell it", async () => {
    const task = `
      const alive = setInterval(() => {}, 1000);
      process.once("SIGINT", () => setTimeout(() => { console.log("stopped in peace"); clearInterval(alive); }, 400));
      console.log("${ASKS}");`;
    const { output, exitCode } = await onTerminal({}, task);
    expect(output).toContain("stopped in peace");
    expect(exitCode).toBe(0);
  });
});
