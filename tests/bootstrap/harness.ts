/** A small copy of the repository in which the real bootstrap runs as a process, with a stand-in for npm on PATH. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const SYSTEM_PATH = "/usr/bin:/bin";

/** What the stand-in for npm does; `ci` and `node` are shell commands. */
export interface FakeNpm {
  readonly version?: string;
  /** `npm ci` in the repository or in the Zuplo project. */
  readonly ci?: string;
  /** `npm ci` in the folder of the pinned Node. */
  readonly node?: string;
}

export interface Copy {
  readonly root: string;
  write(file: string, text: string): Promise<void>;
  read(file: string): Promise<string>;
  has(file: string): boolean;
  /** The first argument of each call of the stand-in, or `node` for the installation of the pinned Node. */
  npmCalls(): Promise<string[]>;
  useNpm(npm: FakeNpm): Promise<void>;
  /** Pins another package as Node 24 for this platform. */
  pinNode(pin: PinnedNode): Promise<void>;
  remove(file: string): Promise<void>;
  start(args: readonly string[], options?: RunOptions): Running;
  run(args: readonly string[], options?: RunOptions): Promise<Ended>;
}

interface RunOptions {
  /** Pretends that this is the version of the running Node. */
  readonly nodeVersion?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** JavaScript that runs before the bootstrap. */
  readonly preload?: string;
  /** The script to run instead of the bootstrap. */
  readonly script?: string;
  /** The command to run instead of Node. */
  readonly command?: readonly [string, ...string[]];
}

interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once the text stands in either output; rejects where the process ends without it. */
  saw(text: string): Promise<void>;
}

/** What a working `npm ci` leaves behind, as far as the bootstrap looks. */
export const CI_OK = "mkdir -p node_modules && cp package-lock.json node_modules/.package-lock.json";
/** Leaves its process id in the file `hanging` and then does nothing. */
export const HANG = "echo $$ > hanging.new; mv hanging.new hanging; exec sleep 60";
/** The copy's pinned Node: a script that runs this test's own Node. */
export const PINNED_NODE = `#!/bin/sh\nexec '${process.execPath}' "$@"\n`;
/** Where the bootstrap expects it. */
export const NODE_FILE = ".audit-forwarder/node24/node_modules/node-pinned/bin/node";

/** Shell commands that install `text` as the pinned Node. */
export function installsNode(text: string): string {
  return `mkdir -p node_modules/node-pinned/bin && cat > node_modules/node-pinned/bin/node <<'END'
${text.trimEnd()}
END
chmod +x node_modules/node-pinned/bin/node`;
}

const LOCKFILE = {
  name: "copy",
  lockfileVersion: 3,
  packages: { "": { name: "copy" }, "node_modules/one": { version: "1.0.0", integrity: "sha512-one" } },
};
export const LOCKFILE_TEXT = JSON.stringify(LOCKFILE);
export const NEWER_LOCKFILE_TEXT = LOCKFILE_TEXT.replace("1.0.0", "1.0.1");

/** Makes a copy whose task `bench` is `task`, TypeScript text. The folder's name holds a space and a letter beyond ASCII. */
export async function makeCopy(npm: FakeNpm, task = 'console.log("task ran");'): Promise<Copy> {
  const base = await realpath(await mkdtemp(join(tmpdir(), "audit forwarder é ")));
  onTestFinished(() => rm(base, { recursive: true, force: true }));
  const root = join(base, "clone");
  const copy: Copy = {
    root,
    async write(file, text) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), text);
    },
    read: (file) => readFile(join(root, file), "utf8"),
    has: (file) => existsSync(join(root, file)),
    npmCalls: async () => (await readFile(join(base, "npm.calls"), "utf8").catch(() => "")).split("\n").filter(Boolean),
    remove: (file) => rm(join(root, file)),
    useNpm: (fake) => writeFakeNpm(base, fake),
    pinNode: (pin) => copy.write("cli/bootstrap/node-pins.json", pinsFile(pin)),
    start: (args, options = {}) => start(base, root, args, options),
    run: (args, options = {}) => start(base, root, args, options).ended,
  };
  for (const file of ["cli/bootstrap", "cli/bin.mjs", "shared/errors.ts", ".ci", "package.json"]) {
    await cp(join(REPOSITORY, file), join(root, file), { recursive: true });
  }
  await copy.write("package-lock.json", LOCKFILE_TEXT);
  await copy.write("bench/run.ts", task);
  await copy.pinNode({});
  await copy.useNpm(npm);
  return copy;
}

/** The package's integrity, and the text of its binary. */
interface PinnedNode {
  readonly integrity?: string;
  readonly text?: string;
}

function pinsFile({ integrity = "sha512-pinned", text = PINNED_NODE }: PinnedNode): string {
  const pinned = {
    name: "node-pinned",
    version: "24.0.1",
    integrity,
    binary: "bin/node",
    sha256: createHash("sha256").update(text).digest("hex"),
  };
  return JSON.stringify({ [`${process.platform}-${process.arch}`]: pinned });
}

async function writeFakeNpm(base: string, fake: FakeNpm): Promise<void> {
  const { version = "11.0.0", ci = CI_OK, node = installsNode(PINNED_NODE) } = fake;
  const file = join(base, "bin", "npm");
  await mkdir(dirname(file), { recursive: true });
  const script = `#!/bin/sh
calls='${join(base, "npm.calls")}'
case "$1 $PWD" in
  "ci "*/node24) echo node >> "$calls" ;;
  *) echo "$1" >> "$calls" ;;
esac
case "$1 $PWD" in
  --version*) echo ${version} ;;
  "ci "*/node24) ${node}
  ;;
  ci*) ${ci} ;;
  *) pwd; echo "$@" ;;
esac
`;
  await writeFile(file, script);
  await chmod(file, 0o755);
}

function start(base: string, root: string, args: readonly string[], options: RunOptions): Running {
  const script = options.script ?? join(root, "cli/bootstrap/run.mjs");
  const [file, ...first] = options.command ?? [process.execPath, ...preloads(options), script];
  const child = spawn(file, [...first, ...args], {
    cwd: options.cwd ?? root,
    env: { PATH: [join(base, "bin"), SYSTEM_PATH].join(":"), ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    // In a process group of its own, so that a signal can reach all of it and a failed test leaves nothing behind.
    detached: true,
  });
  onTestFinished(() => killGroup(child.pid));
  let stdout = "";
  let stderr = "";
  let onOutput: (() => void) | undefined;
  child.stdout.setEncoding("utf8").on("data", (text: string) => ((stdout += text), onOutput?.()));
  child.stderr.setEncoding("utf8").on("data", (text: string) => ((stderr += text), onOutput?.()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
  const saw = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if ((stdout + stderr).includes(text)) resolve();
      };
      onOutput = look;
      look();
      void ended.then(() => reject(new Error(`ended without "${text}": ${stdout}${stderr}`)));
    });
  return { process: child, ended, saw };
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, "SIGKILL");
  } catch {
    // All of it has ended, as it should.
  }
}

/** With `nodeVersion` the bootstrap sees an older Node; it is still this one that runs. */
function preloads({ nodeVersion, preload = "" }: RunOptions): string[] {
  const pretend = `{ value: { ...process.versions, node: "${nodeVersion}" } }`;
  const code = nodeVersion ? `Object.defineProperty(process, "versions", ${pretend});${preload}` : preload;
  return code ? ["--import", `data:text/javascript,${encodeURIComponent(code)}`] : [];
}

/** The lines of a text that are errors of the bootstrap. */
export function errorLines(text: string): string[] {
  return text.split("\n").filter((line) => line.startsWith("error["));
}

/** Waits until a condition holds, looking every 20 ms. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 100_000,
): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > endMs) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** True while a process with this id exists and is not a zombie. */
export async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return !/\) Z /.test(state);
}
