/** The path behind the gateway on real parts: development queue, worker in workerd, WorkOS stand-in. Plus the verbs of its tests. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMovableClock, startQueue } from "../../../dev/queue/server.ts";
import type { WorkerOptions } from "../../../dev/worker.ts";
import { startWorkos } from "../../../dev/workos/server.ts";
import { deduplicationId, publishHeaders, publishPath } from "../../../shared/qstash-headers.ts";
import type { AuditRecord } from "../../../shared/record.ts";
import { retryPlan } from "../../../shared/retry-horizon.ts";
import { startMovableWorker } from "./built-worker.ts";
import { publishedBody } from "./published.ts";
import { ADMIN_TOKEN, workerVariables } from "./variables.ts";

export { ADMIN_TOKEN } from "./variables.ts";

export type LocalPath = Awaited<ReturnType<typeof startLocalPath>>;

interface Answered {
  readonly status: number;
  // A test reads what it needs; a wrong shape fails there.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

export async function startLocalPath(
  variables: Record<string, string> = {},
  options: Pick<WorkerOptions, "hasEvidence" | "outbound"> = {},
) {
  const folder = await mkdtemp(join(tmpdir(), "audit-path-"));
  const clock = createMovableClock();
  const workos = await startWorkos();
  /** How far the worker's clock was moved. */
  let offsetMs = 0;
  const queue = await startQueue({ path: ":memory:", clock, signingClock: { now: () => Date.now() + offsetMs } });
  const vars = { ...workerVariables(workos, queue), ...variables };
  const persistPath = join(folder, "worker");
  let worker = await startMovableWorker({
    ...options,
    vars,
    persistPath,
    onLog: (line) => process.env["DEBUG_WORKER"] && console.error(line),
  });
  const { port, url } = worker;

  const call = async (method: string, path: string, body?: unknown): Promise<Answered> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { status: response.status, json: await response.json() };
  };

  return {
    workos,
    queue,
    clock,
    url,
    /** Moves the worker's clock and its alarms, and the time in the queue's signatures. */
    async advanceWorker(byMs: number): Promise<void> {
      offsetMs += byMs;
      await fetch(`${url}/test/clock?by_ms=${byMs}`, { method: "POST" });
    },
    scheduled: (atMs?: number) => worker.scheduled(atMs),
    get: (path: string) => call("GET", path),
    /** An answer that is not JSON. */
    async text(path: string): Promise<string> {
      const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
      return response.text();
    },
    post: (path: string, body: unknown = {}) => call("POST", path, body),
    /** Publishes records as the policy does, one message for all of them; `headers` go before the policy's. */
    async publish(records: readonly AuditRecord[], headers: Record<string, string> = {}): Promise<void> {
      const response = await fetch(`${queue.url}${publishPath(url)}`, {
        method: "POST",
        headers: {
          ...publishHeaders({ workerUrl: url, deduplicationId: deduplicationId(records) }),
          ...headers,
          authorization: `Bearer ${queue.token}`,
        },
        body: await publishedBody(records),
      });
      if (!response.ok) throw new Error(`publish answered ${response.status}`);
    },
    /** Holds deliveries back at the queue, or lets them go on; the worker does not know. */
    async switchFlow(to: "pause" | "resume"): Promise<void> {
      const headers = { authorization: `Bearer ${queue.token}` };
      const response = await fetch(`${queue.url}/v2/flowControl/workos/${to}`, { method: "POST", headers });
      if (!response.ok) throw new Error(`${to} answered ${response.status}`);
    },
    /** Lets the queue make every attempt of the retry horizon and its callbacks. */
    async exhaust(): Promise<void> {
      await queue.idle();
      for (const delayMs of retryPlan().delaysMs) {
        clock.advance(delayMs + 1);
        await queue.idle();
      }
    },
    /** Ends workerd with SIGKILL, which is how Miniflare stops it. */
    async killWorker(): Promise<void> {
      await worker.stop();
    },
    /** `changed`: variables of the new deployment. */
    async restartWorker(changed: Record<string, string> = {}): Promise<void> {
      const kept = { TEST_CLOCK_OFFSET_MS: String(offsetMs) };
      worker = await startMovableWorker({ ...options, vars: { ...vars, ...changed, ...kept }, persistPath, port });
    },
    async stop(): Promise<void> {
      await worker.stop();
      await queue.stop();
      await workos.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until `probe` answers something that `isRight` accepts; fails after a while with what it answered last. */
export async function until<T>(
  probe: () => Promise<T> | T,
  isRight: (value: T) => boolean,
  timeoutMs = 240_000,
): Promise<T> {
  const endMs = Date.now() + timeoutMs;
  for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 1.5, 250)) {
    const value = await probe();
    if (isRight(value)) return value;
    if (Date.now() > endMs) throw new Error(`waited in vain; last seen: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
