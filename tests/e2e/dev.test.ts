import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EXAMPLE_CALL } from "../../dev/demo/calls.ts";
import { sendCall } from "../../dev/demo/call.ts";
import { leftovers, run, until } from "./processes.ts";

let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "audit-dev-"));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

const FREE_PORTS = ["--gateway-port", "0", "--queue-port", "0", "--worker-port", "0", "--workos-port", "0"];

describe("npm run dev", () => {
  it("keeps the stack running, tells its URLs and variables, delivers, and exits 0 on SIGTERM", async () => {
    const mark = randomUUID();
    const dev = run("dev/dev.ts", [...FREE_PORTS, "--state-dir", stateDir, "--json"], mark);
    await until(() => dev.stdout().includes("\n"), 60_000, dev.stderr);
    const stack = JSON.parse(dev.stdout());
    expect(stack.gateway_variables).toMatchObject({ QSTASH_URL: stack.queue, AUDIT_WORKER_URL: stack.worker });
    const { status, requestId } = await sendCall(stack.gateway, EXAMPLE_CALL);
    expect(status).toBe(EXAMPLE_CALL.expectStatus);
    const stored = async () => (await fetch(`${stack.workos}/__dev/events`)).text();
    await until(
      async () => (await stored()).includes(requestId),
      20_000,
      () => "the event did not arrive",
    );
    dev.child.kill("SIGTERM");
    expect(await dev.ended).toBe(0);
    expect(await leftovers(mark)).toEqual([]);
  });

  it.each(["gateway", "queue", "worker", "workos"])(
    "names a taken %s port in one line and starts nothing",
    async (part) => {
      const holder = createServer().listen(0, "127.0.0.1");
      await new Promise((done) => holder.once("listening", done));
      const { port } = holder.address() as { port: number };
      const mark = randomUUID();
      const ports = FREE_PORTS.with(FREE_PORTS.indexOf(`--${part}-port`) + 1, String(port));
      const dev = run("dev/dev.ts", [...ports, "--state-dir", stateDir], mark);
      expect(await dev.ended).toBe(1);
      expect(dev.stderr().trim()).toMatch(new RegExp(`^error\\[port_taken\\]: .*${port}.*$`));
      expect(await leftovers(mark)).toEqual([]);
      holder.close();
    },
  );

  it.each([
    [["--gateway-port", "http"], "gateway-port"],
    [["--queue-port", "70000"], "queue-port"],
    [["--colour"], "--colour"],
  ])("refuses %j", async (args, named) => {
    const dev = run("dev/dev.ts", args, randomUUID());
    expect(await dev.ended).toBe(2);
    expect(dev.stderr()).toMatch(/^error\[invalid_option\]: /);
    expect(dev.stderr()).toContain(named);
  });
});
