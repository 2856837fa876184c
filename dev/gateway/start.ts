/** Starts a real Zuplo gateway on this machine from a private copy of a project, so that several may run at once. */
import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdtemp, rm, symlink, writeFile, mkdir, access } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { buildPolicy } from "../../policy/build.ts";
import { AuditError } from "../../shared/errors.ts";

export const EXAMPLE_PROJECT = fileURLToPath(new URL("./project/", import.meta.url));

export interface GatewayOptions {
  /** Default: a free one. The gateway itself (workerd) listens on all interfaces; it has no option for that. */
  readonly port?: number;
  /** What stands in `.env`, read by `$env(…)`. */
  readonly env: Readonly<Record<string, string>>;
  /** Default: the example project. Its `node_modules` are used where they are. */
  readonly projectDir?: string;
  /** Files that replace or join those of the project; path inside the project → text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Longest time until the gateway answers; default 60 s. */
  readonly timeoutMs?: number;
}

export interface Gateway {
  readonly url: string;
  readonly port: number;
  /** The folder that the gateway runs from; gone after `stop`. */
  readonly dir: string;
  logs(): string;
  stop(): Promise<void>;
}

let lastStart: Promise<unknown> = Promise.resolve();

/** Starts a gateway and waits until it answers. Throws `port_taken`, `not_found` (not installed) or `unavailable`. */
export function startGateway(options: GatewayOptions): Promise<Gateway> {
  // One after the other: a start of Zuplo 7.4.5 copies its runtime into the installed packages, which another start would read
  // half written ("Unexpected end of file in source map").
  const started = lastStart.then(() => startNext(options));
  lastStart = started.catch(() => undefined);
  return started;
}

async function startNext(options: GatewayOptions): Promise<Gateway> {
  const port = options.port ?? (await freePort());
  if (options.port !== undefined) await refuseTakenPort(options.port);
  const dir = await prepareProject(options);
  const child = launch(dir, port);
  let text = "";
  const keep = (chunk: Buffer) => (text += chunk.toString());
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    await end(child);
    // A bundler that is just ending may still write.
    await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  try {
    await ready(url, child, options.timeoutMs ?? 60_000);
  } catch (cause) {
    await stop();
    throw new AuditError("unavailable", `the gateway did not start: ${whatItSaid(text)}`, { cause });
  }
  return { url, port, dir, logs: () => text, stop };
}

async function prepareProject(options: GatewayOptions): Promise<string> {
  const source = options.projectDir ?? EXAMPLE_PROJECT;
  const modules = join(source, "node_modules");
  await access(join(modules, "@zuplo/cli/zup.js")).catch(() => {
    throw new AuditError(
      "not_found",
      '"zuplo" is not installed in the gateway project; run `npm ci --ignore-scripts` there',
    );
  });
  const dir = await mkdtemp(join(tmpdir(), "audit-gateway-"));
  const skip = /(^|\/)(node_modules|\.zuplo|dist|\.env)$/;
  await cp(source, dir, { recursive: true, filter: (path) => path === source || !skip.test(path) });
  await symlink(modules, join(dir, "node_modules"), "dir");
  await buildPolicy(join(dir, "modules"));
  const env = { __ZUPLO_REMOTE_LOG_URL: "", ZUPLO_LOG_LEVEL: "info", ...options.env };
  const lines = Object.entries(env).map(([name, value]) => `${name}=${/[\s#'"]/.test(value) ? `'${value}'` : value}`);
  await writeFile(join(dir, ".env"), `${lines.join("\n")}\n`);
  for (const [path, content] of Object.entries(options.files ?? {})) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
  return dir;
}

/** The gateway ends itself when its stdin closes, so that not even a killed parent leaves a workerd behind. */
const END_WITH_PARENT =
  "data:text/javascript,process.stdin.on('close',()=>process.kill(process.pid,'SIGTERM')).resume().unref?.()";

function launch(dir: string, port: number): ChildProcess {
  const args = ["--no-warnings", "--import", END_WITH_PARENT, join(dir, "node_modules/@zuplo/cli/zup.js")];
  const child = spawn(
    process.execPath,
    [...args, "dev", "--no-start-editor", "--no-start-docs", "--port", String(port)],
    {
      cwd: dir,
      // A process group of its own: Ctrl-C reaches the parent only, which ends the gateway in order.
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ZUPLO_DO_NOT_TRACK: "1", ZUPLO_DISABLE_UPDATE_CHECK: "1", NODE_OPTIONS: "" },
    },
  );
  running.add(child);
  child.once("exit", () => running.delete(child));
  endWithThisProcess();
  return child;
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
let watching = false;

function endWithThisProcess(): void {
  if (watching) return;
  watching = true;
  process.once("exit", () => running.forEach(killGroup));
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      for (const child of running) child.kill("SIGTERM");
      // A listener stops the default action; where ours was the only one, it still has to happen.
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new AuditError("unavailable", "no free port was found");
  return address.port;
}

async function refuseTakenPort(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, resolve)).catch((cause) => {
    throw new AuditError("port_taken", `port ${port} is taken; stop what uses it or choose another "port"`, { cause });
  });
  await new Promise((resolve) => server.close(resolve));
}

/** The errors of the build, else the last that the process wrote. */
function whatItSaid(text: string): string {
  const lines = text.trim().split("\n");
  const errors = lines.filter((line) => line.includes("ERROR"));
  return (errors.length > 0 ? errors : lines.slice(-5)).join(" | ") || "it wrote nothing";
}
