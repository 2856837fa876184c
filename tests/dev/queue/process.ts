import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const MAIN = resolve(import.meta.dirname, "../../../dev/queue/main.ts");

export interface QueueProcess {
  child: ChildProcess;
  url: string;
  token: string;
  /** The line it printed. */
  line: string;
  /** Ends it with the signal and waits until it is gone; the exit code, or null after SIGKILL. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Runs the queue on its own, as a person does, and waits for its line. */
export async function runQueue(args: string[]): Promise<QueueProcess> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const line = await new Promise<string>((ready, failed) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\n")) ready(text);
    });
    child.once("exit", (code) => failed(new Error(`the queue ended with ${code}`)));
  });
  const [, url = "", token = ""] = /^QSTASH_URL=(\S+) QSTASH_TOKEN=(\S+) /.exec(line) ?? [];
  return {
    child,
    url,
    token,
    line,
    end: (signal) =>
      new Promise((gone) => {
        if (child.exitCode !== null || child.signalCode !== null) return gone(child.exitCode);
        child.once("exit", gone);
        child.kill(signal);
      }),
  };
}

/** Runs the queue where it cannot start. */
export async function failToRun(args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  const code = await new Promise<number | null>((gone) => child.once("close", gone));
  return { code, ...output };
}

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "queue-"));
}
