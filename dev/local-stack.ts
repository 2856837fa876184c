/** The whole path on one machine: WorkOS stand-in, development queue, a worker and a gateway that the caller builds. */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setInterval } from "node:timers/promises";
import { newEvidenceKey } from "../cli/evidence/key.ts";
import { refuseTakenPort } from "./free-port.ts";
import type { Gateway, ProjectOptions } from "./gateway/zuplo.ts";
import { createMovableClock, type MovableClock } from "./queue/clock.ts";
import { startQueue, type Queue } from "./queue/server.ts";
import type { RunningWorker, WorkerdOptions } from "./workerd.ts";
import { startWorkos, type WorkosStandIn } from "./workos/server.ts";
import { variablesOf } from "./worker-variables.ts";

/** The parts that differ: built from these sources, or those of a team's repository. */
interface StackParts {
  readonly startWorker: (options: WorkerdOptions) => Promise<RunningWorker>;
  readonly startGateway: (options: Pick<ProjectOptions, "port" | "env" | "files" | "onLine">) => Promise<Gateway>;
}

export interface StackOptions {
  /** Ports to listen on; 0 or absent takes a free one. */
  readonly ports?: {
    readonly gateway?: number;
    readonly queue?: number;
    readonly worker?: number;
    readonly workos?: number;
  };
  /** Where the queue, the worker and the stand-in keep their state; absent: a temporary folder that `stop` removes. */
  readonly stateDir?: string;
  readonly organization?: string | undefined;
  /** Files and variables that join those of the gateway's project; called before the gateway starts. */
  readonly extendGateway?: (parts: Pick<Stack, "workos" | "queue">) => Promise<GatewayExtension>;
  /** Told before each part starts. */
  readonly onStart?: (part: string) => void;
  /** Told each line that the gateway writes. */
  readonly onGatewayLine?: (line: string) => void;
}

export interface GatewayExtension {
  readonly files: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
}

export interface Stack {
  readonly workos: WorkosStandIn;
  readonly queue: Queue;
  readonly worker: RunningWorker;
  readonly gateway: Gateway;
  readonly clock: MovableClock;
  /** Variables of the worker, for the CLI and for curl. */
  readonly workerVariables: Readonly<Record<string, string>>;
  readonly gatewayVariables: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts each part after the parts that it needs. If one fails, those already started are stopped. */
export async function startLocalStack(parts: StackParts, options: StackOptions = {}): Promise<Stack> {
  const stops: (() => Promise<void>)[] = [];
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= stopInReverse(stops));
  await refuseTakenPorts(options.ports);
  try {
    return { ...(await startParts(parts, options, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Checks all ports before the first part starts, so that a taken one costs no start. The gateway listens on all interfaces. */
async function refuseTakenPorts({ gateway, ...others }: StackOptions["ports"] = {}): Promise<void> {
  if (gateway) await refuseTakenPort(gateway);
  for (const port of Object.values(others)) if (port) await refuseTakenPort(port, "127.0.0.1");
}

async function stopInReverse(stops: readonly (() => Promise<void>)[]): Promise<void> {
  for (const stopPart of stops.toReversed()) await stopPart();
}

async function startParts(
  { startWorker, startGateway }: StackParts,
  options: StackOptions,
  stops: (() => Promise<void>)[],
): Promise<Omit<Stack, "stop">> {
  const { ports = {}, onStart = () => {} } = options;
  const started = <T extends { stop(): Promise<void> }>(part: T): T => {
    stops.push(() => part.stop());
    return part;
  };
  const stateDir = options.stateDir ?? (await temporaryDir(stops));
  await mkdir(stateDir, { recursive: true });
  const clock = createMovableClock();
  const organization = options.organization ?? "org_01EHWNCE74X7JSDV0X3SZ3KJNY";

  onStart("WorkOS stand-in");
  const workos = started(
    await startWorkos({ port: ports.workos ?? 0, path: options.stateDir && join(stateDir, "workos.sqlite") }),
  );
  onStart("development queue");
  const queue = started(await startQueue({ port: ports.queue ?? 0, path: join(stateDir, "queue.sqlite"), clock }));
  onStart("worker (workerd)");
  const secrets = {
    AUDIT_INGEST_KEY: `whsec_${randomBytes(24).toString("base64")}`,
    AUDIT_ADMIN_TOKEN: randomBytes(24).toString("base64url"),
    AUDIT_EVIDENCE_KEY: await keptKey(join(stateDir, "evidence.key")),
  };
  const workerVariables = {
    ...secrets,
    ...variablesOf(workos, queue),
    AUDIT_ORGANIZATION_ID: organization,
    AUDIT_ENVIRONMENT: "development",
    AUDIT_EVIDENCE_COPIES: "true",
  };
  const worker = started(
    await startWorker({
      port: ports.worker ?? 0,
      vars: workerVariables,
      persistPath: join(stateDir, "worker"),
      hasEvidence: true,
    }),
  );
  const { files, env } = (await options.extendGateway?.({ workos, queue })) ?? { files: {}, env: {} };
  onStart("Zuplo gateway");
  const gatewayVariables = {
    QSTASH_URL: queue.url,
    QSTASH_TOKEN: queue.token,
    AUDIT_WORKER_URL: worker.url,
    AUDIT_INGEST_KEY: secrets.AUDIT_INGEST_KEY,
    AUDIT_ORGANIZATION_ID: organization,
    ...env,
  };
  const gateway = started(
    await startGateway({
      ...(ports.gateway ? { port: ports.gateway } : {}),
      ...(options.onGatewayLine && { onLine: options.onGatewayLine }),
      env: gatewayVariables,
      files,
    }),
  );
  return {
    workos,
    queue,
    worker,
    gateway,
    clock,
    workerVariables: { ...workerVariables, AUDIT_WORKER_URL: worker.url },
    gatewayVariables,
  };
}

/** The key that signs the evidence, which stays the same for the same folder. */
async function keptKey(path: string): Promise<string> {
  const key = await readFile(path, "utf8").catch(newEvidenceKey);
  await writeFile(path, key, { mode: 0o600 });
  return key;
}

async function temporaryDir(stops: (() => Promise<void>)[]): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "audit-forwarder-"));
  stops.push(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

const CRON_EVERY_MS = 5000;

/**
 * Runs the worker's cron every five seconds. Cloudflare calls it every five minutes, here nobody else does; and sooner, so that an
 * incident which is tried out is seen to end. What fails, as while the parts stop, gets its next turn.
 */
export async function keepCron({ worker }: Pick<Stack, "worker">): Promise<void> {
  for await (const _ of setInterval(CRON_EVERY_MS, undefined, { ref: false })) {
    await worker.scheduled().catch(() => undefined);
  }
}
