/** The delivery side on loopback, without a gateway: WorkOS stand-in, development queue, worker, and a receiver of alerts. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { createMovableClock, startQueue, type MovableClock, type Queue } from "../../dev/queue/server.ts";
import type { RunningWorker } from "../../dev/worker.ts";
import { variablesOf } from "../../dev/worker-variables.ts";
import { startWorkos, type WorkosOptions, type WorkosStandIn } from "../../dev/workos/server.ts";
import { publishHeaders, publishPath } from "../../shared/qstash-headers.ts";
import { startBuiltWorker } from "../worker/support/built-worker.ts";

/** Ends the wait for what does not come, on a machine on which everything takes ten times as long. */
export const PATIENCE_MS = 240_000;

interface Alert {
  readonly type: string;
  readonly data: { readonly incident: string; readonly detail: string };
}

export interface Delivery {
  readonly workos: WorkosStandIn;
  readonly queue: Queue;
  readonly clock: MovableClock;
  readonly worker: RunningWorker;
  readonly adminToken: string;
  /** The worker's variables, as an operator would have them in a file. */
  readonly variables: Readonly<Record<string, string>>;
  /** Alerts in order of arrival. */
  readonly alerts: readonly Alert[];
  /** Publishes a message as the policy does and answers its id. */
  publish(body: string, deduplicationId: string): Promise<string>;
  /** Starts the worker anew on its port and storage, with other variables, as a deploy does. */
  restartWorker(vars: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
}

export async function startDelivery(options: { readonly workos?: WorkosOptions } = {}): Promise<Delivery> {
  const alerts: Alert[] = [];
  const receiver = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      alerts.push(JSON.parse(body) as Alert);
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const workos = await startWorkos(options.workos);
  const clock = createMovableClock();
  const queue = await startQueue({ path: ":memory:", clock });
  const adminToken = "an-admin-token-of-the-docs";
  const persistPath = await mkdtemp(join(tmpdir(), "docs-worker-"));
  const vars = {
    ...variablesOf(workos, queue),
    AUDIT_INGEST_KEY: "whsec_aW5nZXN0LWtleS1vZi10aGUtZG9jcy0wMDAwMQ==",
    AUDIT_ADMIN_TOKEN: adminToken,
    AUDIT_ALERT_URL: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/alerts`,
  };
  let worker = await startBuiltWorker({ vars, persistPath });
  return {
    workos,
    queue,
    clock,
    get worker() {
      return worker;
    },
    adminToken,
    variables: vars,
    alerts,
    publish: (body, deduplicationId) => publish(queue, worker.url, body, deduplicationId),
    restartWorker: async (changed) => {
      await worker.stop();
      worker = await startBuiltWorker({ vars: { ...vars, ...changed }, port: worker.port, persistPath });
    },
    stop: async () => {
      await worker.stop();
      await queue.stop();
      await workos.stop();
      receiver.closeAllConnections();
      await new Promise((resolve) => receiver.close(resolve));
      await rm(persistPath, { recursive: true, force: true });
    },
  };
}

async function publish(queue: Queue, workerUrl: string, body: string, deduplicationId: string): Promise<string> {
  const answer = await fetch(`${queue.url}${publishPath(workerUrl)}`, {
    method: "POST",
    headers: { ...publishHeaders({ workerUrl, deduplicationId }), authorization: `Bearer ${queue.token}` },
    body,
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { messageId: string }).messageId;
}
