import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { json, startCli } from "./support/run-cli.ts";

let folder: string;
/** As a process, because yargs reads which shell it is for from the process's own variables. */
const completion = (...more: readonly string[]) => startCli(["completion", ...more]).ended;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "completion-"));
  const program = `#!/bin/sh\nexec "${process.execPath}" "${inject("cliFile")}" "$@"\n`;
  await writeFile(join(folder, "audit-forwarder"), program, { mode: 0o755 });
  await writeFile(join(folder, "completion.bash"), (await completion()).stdout);
});
afterAll(() => rm(folder, { recursive: true }));

/** What bash offers after these words, the last of which is being typed. */
async function offered(...words: string[]): Promise<string[]> {
  const script = `. ./completion.bash
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
    _audit-forwarder_yargs_completions; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const PATH = `${folder}:${process.env["PATH"] ?? ""}`;
  const { stdout } = await promisify(execFile)("bash", ["-c", script], { cwd: folder, env: { PATH } });
  return stdout.trimEnd().split("\n");
}

describe("completion in bash", () => {
  test("offers the commands", async () => {
    expect(await offered("audit-forwarder", "")).toEqual(
      expect.arrayContaining(["init", "doctor", "schemas", "dead-letters", "trace", "pause", "resume", "verify"]),
    );
  });

  test("offers what a prefix begins, below a group too", async () => {
    expect(await offered("audit-forwarder", "dead-letters", "dis")).toEqual(["discard"]);
    expect(await offered("audit-forwarder", "dead-letters", "replay", "--stop")).toEqual(["--stop-on-error-rate"]);
  });
});

test("the script is in the JSON as well", async () => {
  expect(json(await completion("--json")).script).toContain("###-begin-audit-forwarder-completions-###");
});
