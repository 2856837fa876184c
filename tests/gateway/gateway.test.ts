/** Starting and ending the gateway: what a demo, a test and an impatient person do with it. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { lstat, readdir, realpath } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { EXAMPLE_PROJECT, type Gateway, startGateway } from "../../dev/gateway/gateway.ts";
import { waitUntil } from "./wait.ts";

const running: Gateway[] = [];
afterEach(() => Promise.all(running.splice(0).map((gateway) => gateway.stop())));

const env = {
  QSTASH_URL: "http://127.0.0.1:9",
  QSTASH_TOKEN: "token with 'quotes' and #",
  AUDIT_WORKER_URL: "http://127.0.0.1:9",
  AUDIT_INGEST_KEY: `whsec_${Buffer.alloc(32).toString("base64")}`,
};

async function start(options: Partial<Parameters<typeof startGateway>[0]> = {}): Promise<Gateway> {
  const gateway = await startGateway({ env, ...options });
  running.push(gateway);
  return gateway;
}

/** False where nobody listens any more, which is known at once. */
async function answers(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/__zuplo/build`, { signal: AbortSignal.timeout(60_000) }).catch(() => undefined);
  await answer?.body?.cancel();
  return answer !== undefined;
}

describe("startGateway", () => {
  it("runs the example project, two at once, and leaves nothing behind", async () => {
    const [one, other] = await Promise.all([start(), start()]);
    expect(one.port).not.toBe(other.port);
    for (const { url } of [one, other]) expect(await (await fetch(`${url}/health`)).json()).toEqual({ ok: true });
    await one.stop();
    expect(await answers(one.url)).toBe(false);
    expect(existsSync(one.dir)).toBe(false);
    expect(await answers(other.url)).toBe(true);
    // A second stop changes nothing.
    await one.stop();
  });

  it("says in one line that a port is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(startGateway({ env, port })).rejects.toMatchObject({
      code: "port_taken",
      message: `port ${port} is taken; stop what uses it or choose another "port"`,
    });
    await new Promise((resolve) => server.close(resolve));
  });

  it("says what the gateway said where the project is wrong, and cleans up", async () => {
    const wrong = startGateway({ env, files: { "config/policies.json": '{"policies":[]}' } });
    await expect(wrong).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/^the gateway did not start: [^|]*Policy 'audit-log' does not exist/),
    });
  });

  it("says that Zuplo is not installed, and how to install it", async () => {
    const projectDir = fileURLToPath(new URL("./project/", import.meta.url));
    await expect(startGateway({ env, projectDir })).rejects.toMatchObject({
      code: "not_found",
      message: expect.stringContaining("npm install"),
    });
  });
});

interface Started {
  readonly url: string;
  readonly dir: string;
}

/** Another process that starts a gateway and keeps it. */
interface Parent {
  readonly child: ChildProcess;
  readonly gateway: Promise<Started>;
  /** Exit code, or the signal's name. */
  readonly ended: Promise<unknown>;
}

const SCRIPT = `const { startGateway } = await import(${JSON.stringify(new URL("../../dev/gateway/gateway.ts", import.meta.url).href)});
  const { url, dir } = await startGateway({ env: ${JSON.stringify(env)} });
  console.log(JSON.stringify({ url, dir }));
  setInterval(() => {}, 1000);`;

function startParent(): Parent {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", SCRIPT], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<unknown>((resolve) => child.once("close", (code, by) => resolve(by ?? code)));
  const line = new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (data: Buffer) => resolve(data.toString()));
    void ended.then((how) => reject(new Error(`ended (${String(how)}) before its gateway ran: ${stderr}`)));
  });
  return { child, ended, gateway: line.then((text) => JSON.parse(text)) };
}

/** How a parent can end; each of the tests below ends one of its own. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGKILL"] as const;

describe("gateways of several processes that start at one moment", () => {
  let installedBefore: readonly string[];
  let installedAfter: readonly string[];
  let parents: ReadonlyMap<string, Parent>;
  let seen: readonly { readonly health: unknown; readonly runtime: string; readonly folder: string }[];
  beforeAll(async () => {
    installedBefore = await installedFiles();
    parents = new Map(SIGNALS.map((signal) => [signal, startParent()]));
    seen = await Promise.all([...parents.values()].map(async ({ gateway }) => inspect(await gateway)));
    installedAfter = await installedFiles();
  });
  afterAll(() => parents?.forEach(({ child }) => child.kill("SIGKILL")));

  it("answer, each with a runtime of its own", () => {
    for (const { health, runtime, folder } of seen) {
      expect(health).toEqual({ ok: true });
      expect(runtime).toBe(`${folder}/node_modules/@zuplo/runtime`);
    }
    expect(new Set(seen.map(({ folder }) => folder)).size).toBe(SIGNALS.length);
  });

  it("write nothing into the installed packages", () => {
    expect(installedBefore.length).toBeGreaterThan(100);
    expect(installedAfter).toEqual(installedBefore);
  });

  it.each(SIGNALS)("end with their parent, and their folders go: %s", async (signal) => {
    const { child, ended, gateway } = parents.get(signal) as Parent;
    const { url, dir } = await gateway;
    expect(await answers(url)).toBe(true);
    child.kill(signal);
    expect(await ended).toBe(signal);
    await waitUntil(async () => !(await answers(url)) && !existsSync(dir));
  });
});

async function inspect({ url, dir }: Started) {
  return {
    health: await (await fetch(`${url}/health`)).json(),
    runtime: await realpath(`${dir}/node_modules/@zuplo/runtime`),
    folder: await realpath(dir),
  };
}

/** Path and time of the last change of what Zuplo writes to: the runtime, and the folder of all packages. */
async function installedFiles(): Promise<string[]> {
  const packages = join(EXAMPLE_PROJECT, "node_modules");
  const runtime = await readdir(join(packages, "@zuplo/runtime"), { recursive: true });
  const paths = [...(await readdir(packages)), ...runtime.map((path) => `@zuplo/runtime/${path}`)];
  return Promise.all(paths.map(async (path) => `${path} ${(await lstat(join(packages, path))).mtimeMs}`));
}
