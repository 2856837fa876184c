/** The four parts of a drill, each a process group of its own, with a witness in front of the queue and of the worker. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { DEV_TOKEN } from "../queue/keys.ts";
import { gatewayPart, type PartProcess, scriptPart } from "./part-process.ts";
import type { Part } from "./plan.ts";
import { startWitness, type Witness } from "./witness.ts";

export interface DrillStack {
  readonly parts: Readonly<Record<Part, PartProcess>>;
  readonly queueWitness: Witness;
  readonly workerWitness: Witness;
  readonly gatewayUrl: string;
  readonly queueUrl: string;
  readonly workosUrl: string;
  readonly adminToken: string;
  readonly queueToken: string;
  stop(): Promise<void>;
}

const urlOf = (port: number) => `http://127.0.0.1:${port}`;

/** What the gateway sends: a publish to the queue, or a spill to the worker. */
const isPublish = (method: string, path: string) => method === "POST" && path.startsWith("/v2/publish/");
const isSpill = (method: string, path: string) => method === "POST" && path === "/ingest";

/** A well-known signing key pair of the official development server (upstash.com/docs/qstash/howto/local-development). */
const SIGNING_KEYS = { current: "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r", next: "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs" };
const WORKOS_API_KEY = "sk_test_workos";
const ORGANIZATION = "org_01EHWNCE74X7JSDV0X3SZ3KJNY";

/** Prepares the parts without starting them; `stateDir` keeps the files of queue, worker and WorkOS stand-in. */
export async function prepareStack(stateDir: string, nowMs: () => number): Promise<DrillStack> {
  const [queuePort, workerPort, workosPort, gatewayPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const queueWitness = await startWitness(urlOf(queuePort), "queue", isPublish, nowMs);
  const workerWitness = await startWitness(urlOf(workerPort), "spill", isSpill, nowMs);
  const ingestKey = `whsec_${randomBytes(32).toString("base64")}`;
  const adminToken = randomBytes(24).toString("base64url");
  const workerVariables = {
    WORKOS_API_KEY,
    WORKOS_BASE_URL: urlOf(workosPort),
    QSTASH_URL: urlOf(queuePort),
    QSTASH_TOKEN: DEV_TOKEN,
    QSTASH_CURRENT_SIGNING_KEY: SIGNING_KEYS.current,
    QSTASH_NEXT_SIGNING_KEY: SIGNING_KEYS.next,
    // QStash delivers through the witness, and signs that URL.
    AUDIT_WORKER_URL: workerWitness.url,
    AUDIT_INGEST_KEY: ingestKey,
    AUDIT_ADMIN_TOKEN: adminToken,
    AUDIT_ORGANIZATION_ID: ORGANIZATION,
    AUDIT_RATE: "100",
  };
  const parts = {
    workos: scriptPart({
      args: ["dev/workos/main.ts", "--port", String(workosPort), "--path", join(stateDir, "workos.sqlite")],
      readyUrl: `${urlOf(workosPort)}/__dev/faults`,
    }),
    queue: scriptPart({
      args: `dev/queue/main.ts --port ${queuePort} --quiet --current-signing-key ${SIGNING_KEYS.current} --next-signing-key ${SIGNING_KEYS.next} --path`
        .split(" ")
        .concat(join(stateDir, "queue.sqlite")),
      readyUrl: `${urlOf(queuePort)}/__dev/faults`,
    }),
    worker: scriptPart({
      args: ["dev/drill/worker-process.ts"],
      stdin: JSON.stringify({ port: workerPort, vars: workerVariables, persistPath: join(stateDir, "worker") }),
      readyUrl: `${urlOf(workerPort)}/health`,
    }),
    gateway: gatewayPart(gatewayPort, {
      QSTASH_URL: queueWitness.url,
      QSTASH_TOKEN: DEV_TOKEN,
      AUDIT_WORKER_URL: workerWitness.url,
      AUDIT_INGEST_KEY: ingestKey,
      AUDIT_ORGANIZATION_ID: ORGANIZATION,
    }),
  };
  return {
    parts,
    queueWitness,
    workerWitness,
    gatewayUrl: urlOf(gatewayPort),
    queueUrl: urlOf(queuePort),
    workosUrl: urlOf(workosPort),
    adminToken,
    queueToken: DEV_TOKEN,
    async stop() {
      await Promise.all([parts.gateway.stop(), parts.worker.stop(), parts.queue.stop(), parts.workos.stop()]);
      await Promise.all([queueWitness.stop(), workerWitness.stop()]);
    },
  };
}
