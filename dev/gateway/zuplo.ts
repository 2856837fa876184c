/** Starts a Zuplo project's real gateway on this machine from a private copy of it, so that several may run at once. */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { AuditError } from "../../shared/errors.ts";
import { freePort, refuseTakenPort } from "../free-port.ts";
import { makeFolder } from "./folder.ts";

export interface ProjectOptions {
  /** Default: a free one. The gateway itself (workerd) listens on all interfaces; it has no option for that. */
  readonly port?: number;
  /** The variables in `.env`, which `$env(…)` reads. */
  readonly env: Readonly<Record<string, string>>;
  /** Its `node_modules` are used where they are. */
  readonly projectDir: string;
  /** Files that replace or join those of the project; path inside the project → text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Longest time until the gateway answers; default 180 s, because a busy machine takes ten times as long. */
  readonly timeoutMs?: number;
  /** Told each line that the gateway writes. */
  readonly onLine?: (line: string) => void;
}

export interface Gateway {
  readonly url: string;
  readonly port: number;
  /** Leads the process group of the gateway. */
  readonly pid: number | undefined;
  /** The folder that the gateway runs from; gone after `stop`. */
  readonly dir: string;
  logs(): string;
  stop(): Promise<void>;
}

/** Starts a project as it is and waits until it answers. Throws `port_taken`, `not_found` (not installed) or `unavailable`. */
export async function startProject(options: ProjectOptions): Promise<Gateway> {
  const port = options.port ?? (await freePort());
  if (options.port !== undefined) await refuseTakenPort(options.port);
  endWithThisProcess();
  const dir = await makeFolder({
    projectDir: resolve(options.projectDir),
    env: options.env,
    ...(options.files && { files: options.files }),
    onMade: (folder) => folders.add(folder),
  });
  const child = launch(dir, port);
  let text = "";
  const keep = (chunk: Buffer) => (text += chunk.toString());
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  if (options.onLine) tellLines(child, options.onLine);
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    await end(child);
    // A bundler that is just ending may still write.
    await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    folders.delete(dir);
  };
  try {
    await ready(url, child, options.timeoutMs ?? 180_000);
  } catch (cause) {
    await stop();
    throw new AuditError("unavailable", `the gateway did not start: ${whatItSaid(text)}`, { cause });
  }
  return { url, port, pid: child.pid, dir, logs: () => text, stop };
}

const END_WITH_PARENT = new URL("./end-with-parent.mjs", import.meta.url).href;

function launch(dir: string, port: number): ChildProcess {
  const args = ["--no-warnings", "--import", END_WITH_PARENT, join(dir, "node_modules/@zuplo/cli/zup.js")];
  const child = spawn(
    process.execPath,
    // Zuplo refuses to start where the port of its editor is taken, even without the editor.
    [...args, "dev", "--no-start-editor", "--no-start-docs", "--port", String(port), "--editor-port", String(port)],
    {
      cwd: dir,
      // A process group of its own: Ctrl-C reaches the parent only, which ends the gateway in order.
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        ...process.env,
        ZUPLO_DO_NOT_TRACK: "1",
        ZUPLO_DISABLE_UPDATE_CHECK: "1",
        NODE_OPTIONS: "",
        // Zuplo's bundler builds twice and is then idle: collecting garbage less often saves a fifth of its processor time.
        GOGC: "400",
        AUDIT_GATEWAY_FOLDER: dir,
      },
    },
  );
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

function tellLines({ stdout, stderr }: ChildProcess, onLine: (line: string) => void): void {
  for (const input of [stdout, stderr]) if (input) createInterface({ input }).on("line", onLine);
}

async function ready(url: string, child: ChildProcess, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error("the gateway process ended");
    const answer = await fetch(`${url}/__zuplo/build`, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    if (Date.now() > deadline) throw new AuditError("timeout", `the gateway did not answer within ${timeoutMs} ms`);
    await sleep(100);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return killGroup(child);
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => killGroup(child), 5000);
  await exited;
  clearTimeout(timer);
  killGroup(child);
}

/** Ends whatever the gateway process may have left in its group. */
function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nothing was left.
  }
}

const running = new Set<ChildProcess>();
const folders = new Set<string>();
let watching = false;

function endWithThisProcess(): void {
  if (watching) return;
  watching = true;
  process.once("exit", endNow);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      for (const child of running) child.kill("SIGTERM");
      // A listener stops the default action; where ours was the only one, it still has to happen.
      if (process.listenerCount(signal) > 0) return;
      endNow();
      process.kill(process.pid, signal);
    });
  }
}

function endNow(): void {
  running.forEach(killGroup);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
}

/** The errors of the build, else the last that the process wrote. */
function whatItSaid(text: string): string {
  const lines = text.trim().split("\n");
  const errors = lines.filter((line) => line.includes("ERROR"));
  return (errors.length > 0 ? errors : lines.slice(-5)).join(" | ") || "it wrote nothing";
}
