import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Setting } from "../../../cli/doctor/setting.ts";
import { versions } from "../../../cli/doctor/versions.ts";
import { programVersion } from "../../../cli/run/installation.ts";
import { versionOrder } from "../../../cli/run/version-order.ts";

const own = programVersion();

let server: Server;
let url: string;
let health: object;
beforeAll(async () => {
  server = createServer((_request, response) => response.end(JSON.stringify(health)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

/** A setting whose project has a module of this version, if one is named. */
function setting(policy: string | undefined, env: Record<string, string> = { AUDIT_WORKER_URL: url }): Setting {
  const text = `/**\n * audit-forwarder policy ${policy} (MIT License)\n * Made by \`audit-forwarder init\`.\n */`;
  const project = { project: { directory: "/srv/api", module: { path: "modules/audit-log.ts", text } } };
  const io = { env, suggest: (name: string) => `<${name}>` };
  return { io, ...(policy === undefined ? {} : { project }) } as unknown as Setting;
}

it.each([
  { worker: own, policy: own.version, state: "ok", says: `policy ${own.version}, worker ${own.version}` },
  { worker: own, policy: undefined, state: "ok", says: `commit ${own.commit}` },
  { worker: own, policy: "99.0.0", state: "failed", says: "the policy is newer than the worker" },
  { worker: {}, policy: own.version, state: "failed", says: "worker 0.1.0" },
  { worker: {}, policy: undefined, state: "warning", says: "the worker is older than this command" },
  { worker: { version: "99.0.0" }, policy: undefined, state: "warning", says: "the worker is newer than this command" },
  { worker: own, policy: "0.1.0", state: "warning", says: "the policy is not of this version" },
])("a policy $policy and a worker $worker.version are $state: $says", async ({ worker, policy, state, says }) => {
  health = { status: "ok", ...worker };
  const result = await versions(setting(policy));
  expect(result.state).toBe(state);
  expect(result.detail).toContain(says);
});

const seen = (...versions: string[]) =>
  versions.map((version) => ({ version, last_seen_at: "2026-11-30T10:00:00.000Z" }));

it.each([
  { policies: seen(own.version), state: "ok", says: `policy ${own.version} in the gateway (last seen 2026-11-30T10` },
  { policies: seen("99.0.0", own.version), state: "failed", says: "the gateway runs a policy that is newer than the" },
  { policies: seen(own.version, "0.1.0"), state: "warning", says: "the gateway ran policy 0.1.0 within the last day" },
  { policies: seen("0.1.0", "99.0.0"), state: "failed", says: "policy 0.1.0 in the gateway" },
])("a gateway whose records are of $policies is $state: $says", async ({ policies, state, says }) => {
  health = { status: "ok", ...own, policies };
  const result = await versions(setting(own.version));
  expect(result.state).toBe(state);
  expect(result.detail).toContain(says);
});

it("compares the policy with this command where no worker is deployed, and is skipped without both", async () => {
  expect((await versions(setting(own.version, {}))).state).toBe("ok");
  expect((await versions(setting("0.1.0", {}))).state).toBe("warning");
  expect((await versions(setting(undefined, {}))).state).toBe("skipped");
});

it.each([
  ["0.2.0", "0.2.0", 0],
  ["0.2.0-rc.1", "0.2.0", 0],
  ["0.9.0", "0.10.0", -1],
  ["1.0.0", "0.99.99", 1],
  ["0.2", "0.2.1", -1],
])("orders %s and %s", (one, other, order) => {
  expect(Math.sign(versionOrder(one, other))).toBe(order);
});
