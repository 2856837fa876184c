/** Starting and ending the gateway: what a demo, a test and an impatient person do with it. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { lstat, readdir, realpath } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { EXAMPLE_PROJECT, type Gateway, startGateway } from "../../dev/gateway/gateway.ts";
import { waitUntil } from "./wait.ts";

const running: Gateway[] = [];
const parents: ChildProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((gateway) => gateway.stop()));
  for (const parent of parents.splice(0)) parent.kill("SIGKILL");
});

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

/** Another process that starts a gateway and keeps it. */
interface Parent {
  readonly child: ChildProcess;
  readonly gateway: Promise<{ readonly url: string; readonly dir: string }>;
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
  parents.push(child);
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<unknown>((resolve) => child.once("close", (code, by) => resolve(by ?? code)));
  const line = new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (data: Buffer) => resolve(data.toString()));
    void ended.then((how) => reject(new Error(`ended (${String(how)}) before its gateway ran: ${stderr}`)));
  });
  return { child, ended, gateway: line.then((text) => JSON.parse(text)) };
}

describe("gateways of several processes", () => {
  it("start at one moment and answer, each with a runtime of its own", async () => {
    const gateways = await Promise.all([startParent(), startParent()].map(({ gateway }) => gateway));
    for (const { url, dir } of gateways) {
      expect(await (await fetch(`${url}/health`)).json()).toEqual({ ok: true });
      expect(await realpath(`${dir}/node_modules/@zuplo/runtime`)).toBe(
        `${await realpath(dir)}/node_modules/@zuplo/runtime`,
      );
    }
  });

  it("write nothing into the installed packages", async () => {
    const before = await installedFiles();
    expect(before.length).toBeGreaterThan(100);
    await start();
    expect(await installedFiles()).toEqual(before);
  });
});

/** Path and time of the last change of what Zuplo writes to: the runtime, and the folder of all packages. */
async function installedFiles(): Promise<string[]> {
  const packages = join(EXAMPLE_PROJECT, "node_modules");
  const runtime = await readdir(join(packages, "@zuplo/runtime"), { recursive: true });
  const paths = [...(await readdir(packages)), ...runtime.map((path) => `@zuplo/runtime/${path}`)];
  return Promise.all(paths.map(async (path) => `${path} ${(await lstat(join(packages, path))).mtimeMs}`));
}

describe("the gateway ends with its parent, and its folder goes", () => {
  it.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("%s", async (signal) => {
    const { child, ended, gateway } = startParent();
    const { url, dir } = await gateway;
    expect(await answers(url)).toBe(true);
    child.kill(signal);
    expect(await ended).toBe(signal);
    await waitUntil(async () => !(await answers(url)) && !existsSync(dir));
  });
});
