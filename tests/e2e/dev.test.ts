import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EXAMPLE_CALL } from "../../dev/demo/calls.ts";
import { sendCall } from "../../dev/demo/call.ts";
import { allGone, run, until } from "./processes.ts";

let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "audit-dev-"));
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

const FREE_PORTS = ["--gateway-port", "0", "--queue-port", "0", "--worker-port", "0", "--workos-port", "0"];

interface Described {
  readonly queue: string;
  readonly worker: string;
  readonly worker_variables: Readonly<Record<string, string>>;
}

/** An incident of dead letters ends by the worker's cron alone. */
async function incidentComesAndGoes({ queue, worker, worker_variables }: Described): Promise<void> {
  const bearer = (name: string) => ({ authorization: `Bearer ${worker_variables[name]}` });
  const health = async (wanted: string) =>
    until(
      async () => ((await (await fetch(`${worker}/health`)).json()) as { status: string }).status === wanted,
      () => `the worker is not ${wanted}`,
    );
  const admin = { headers: bearer("AUDIT_ADMIN_TOKEN") };
  const body = "not one of ours";
  await fetch(`${queue}/v2/publish/${worker}/deliver`, { method: "POST", headers: bearer("QSTASH_TOKEN"), body });
  await health("degraded");
  const { dead_letters } = (await (await fetch(`${worker}/api/dead-letters`, admin)).json()) as {
    dead_letters: { event_id: string }[];
  };
  expect(dead_letters).toHaveLength(1);
  const reason = JSON.stringify({ reason: "made by a test" });
  await fetch(`${worker}/api/dead-letters/${dead_letters[0]?.event_id}/discard`, {
    ...admin,
    method: "POST",
    body: reason,
  });
  await health("ok");
}

describe("npm run dev", () => {
  it("keeps the stack and its cron running, tells URLs, variables and what the policy logs, and exits 0 on SIGTERM", async () => {
    const mark = randomUUID();
    const dev = run("dev/dev.ts", [...FREE_PORTS, "--state-dir", stateDir, "--json"], mark);
    await until(() => dev.stdout().includes("\n"), dev.stderr);
    const stack = JSON.parse(dev.stdout());
    expect(stack.gateway_variables).toMatchObject({ QSTASH_URL: stack.queue, AUDIT_WORKER_URL: stack.worker });
    const { status, requestId } = await sendCall(stack.gateway, EXAMPLE_CALL);
    expect(status).toBe(EXAMPLE_CALL.expectStatus);
    const stored = async () => (await fetch(`${stack.workos}/__dev/events`)).text();
    await until(
      async () => (await stored()).includes(requestId),
      () => "the event did not arrive",
    );
    await incidentComesAndGoes(stack);
    await fetch(`${stack.queue}/__dev/faults`, { method: "POST", body: JSON.stringify({ publish: { status: 503 } }) });
    await until(
      async () => {
        await sendCall(stack.gateway, EXAMPLE_CALL);
        return dev.stderr().includes("audit-log: QStash does not take messages: status 503");
      },
      () => "what the policy logs is not shown",
    );
    dev.child.kill("SIGTERM");
    expect(await dev.ended).toBe(0);
    await allGone(mark);
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
      expect(await readdir(stateDir)).toEqual([]);
      await allGone(mark);
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
