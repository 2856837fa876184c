/** Nothing stands between a worker that is measured and the network. */
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { startBareWorkerd } from "../../bench/worker/bare-workerd.ts";
import { cpuMicros } from "../../bench/process-cpu.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function stateDir(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "bare-workerd-"));
  stops.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

it("each worker has its socket, its variables and its Durable Objects, and calls out by itself", async () => {
  const seen: string[][] = [];
  const server = createServer((request, response) => {
    seen.push(Object.keys(request.headers).toSorted());
    response.end("outside");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  stops.push(() => server.close());
  const caller = `export default { async fetch(_, env) { return fetch(env.OUTSIDE, { method: "POST", body: "x" }); } };`;
  const counter = `
    import { DurableObject } from "cloudflare:workers";
    export class Counter extends DurableObject {
      count() { return this.ctx.storage.sql.exec("SELECT 41 + 1 AS n").one().n; }
    }
    export default {
      async fetch(_, env) { return Response.json([env.AUDIT_WORKER_URL, await env.COUNTER.getByName("one").count()]); },
    };`;
  const path = await stateDir();
  const workerd = await startBareWorkerd(
    [
      {
        name: "caller",
        script: caller,
        bindings: { OUTSIDE: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
      },
      { name: "counter", script: counter, durableObjects: { COUNTER: "Counter" } },
    ],
    path,
  );
  stops.push(() => workerd.stop());
  const [first = "", second = ""] = workerd.urls;
  expect(await (await fetch(first)).text()).toBe("outside");
  expect(seen).toEqual([["content-length", "content-type", "host"]]);
  expect(await (await fetch(second)).json()).toEqual([second, 42]);
  expect(await readdir(join(path, "counter"))).toEqual(["counter-Counter"]);
  expect(await cpuMicros(workerd.pids)).toBeGreaterThan(0);
});

it("says so where workerd does not start", async () => {
  await expect(startBareWorkerd([{ name: "broken", script: "export default {" }], await stateDir())).rejects.toThrow(
    "workerd ended at its start",
  );
});
