/** A part of the stack as a process group that can be killed, stopped and restarted on the same port and files. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { AuditError } from "../../shared/errors.ts";
import { startGateway } from "../gateway/gateway.ts";

export interface PartProcess {
  start(): Promise<void>;
  /** Sent to the whole group: workerd survives a parent that dies of SIGKILL. */
  signal(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void;
  /** Ends it gracefully. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 120_000;
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface ScriptOptions {
  /** TypeScript file and arguments, from the project's root. */
  readonly args: readonly string[];
  readonly stdin?: string;
  /** The URL that answers once the part is ready. */
  readonly readyUrl: string;
}

/** A part that is a script of this repository, run by Node. */
export function scriptPart({ args, stdin = "", readyUrl }: ScriptOptions): PartProcess {
  let child: ChildProcess | undefined;
  return {
    async start() {
      // A group of its own, so that a signal reaches its children and not the drill.
      child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
        cwd: ROOT,
        detached: true,
        stdio: ["pipe", "ignore", "inherit"],
      });
      child.stdin?.end(stdin);
      await answering(readyUrl, child, args[0] ?? "");
    },
    signal: (signal) => signalGroup(child?.pid, signal),
    async stop() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      // A stopped process handles its signals once it continues.
      signalGroup(child.pid, "SIGCONT");
      await Promise.race([ended, sleep(10_000, undefined, { ref: false })]);
      signalGroup(child.pid, "SIGKILL");
    },
  };
}

/** The real Zuplo gateway. */
export function gatewayPart(port: number, env: Readonly<Record<string, string>>): PartProcess {
  let gateway: Awaited<ReturnType<typeof startGateway>> | undefined;
  return {
    async start() {
      await gateway?.stop();
      gateway = await startGateway({ port, env, timeoutMs: START_TIMEOUT_MS });
    },
    signal: (signal) => signalGroup(gateway?.pid, signal),
    async stop() {
      signalGroup(gateway?.pid, "SIGCONT");
      await gateway?.stop();
    },
  };
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has already ended.
  }
}

async function answering(url: string, child: ChildProcess, name: string): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    if (child.exitCode !== null)
      throw new AuditError("unavailable", `"${name}" ended with exit code ${child.exitCode}`);
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
    await answer?.body?.cancel();
    // Killed while it started: the drill starts it again.
    if (answer || child.signalCode !== null) return;
    if (performance.now() > deadlineMs) throw new AuditError("timeout", `"${name}" did not answer at ${url}`);
    await sleep(50);
  }
}
