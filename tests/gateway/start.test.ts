/** Starting and ending the gateway: what a demo, a test and an impatient person do with it. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { type Gateway, startGateway } from "../../dev/gateway/start.ts";
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

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/__zuplo/build`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
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
      message: expect.stringContaining("npm ci --ignore-scripts"),
    });
  });
});

describe("the gateway ends with its parent", () => {
  const module = fileURLToPath(new URL("../../dev/gateway/start.ts", import.meta.url));
  const script = `const { startGateway } = await import(${JSON.stringify(module)});
    const gateway = await startGateway({ env: ${JSON.stringify(env)} });
    console.log(gateway.url);
    setInterval(() => {}, 1000);`;

  it.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("%s", async (signal) => {
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    parents.push(parent);
    const url = await new Promise<string>((resolve) =>
      parent.stdout.once("data", (data: Buffer) => resolve(data.toString().trim())),
    );
    expect(await answers(url)).toBe(true);
    const ended = new Promise<unknown>((resolve) => parent.once("exit", (code, by) => resolve(by ?? code)));
    parent.kill(signal);
    expect(await ended).toBe(signal);
    await waitUntil(async () => !(await answers(url)));
  });
});
