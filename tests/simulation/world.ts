/** One whole system under one virtual clock: gateway, queue, worker and WorkOS, joined by a network in which anything may fail. */
import { VirtualTime } from "../../bench/virtual-time.ts";
import { Chaos } from "./chaos.ts";
import { Gateway } from "./gateway.ts";
import { History } from "./history.ts";
import { webhookKey } from "./host/crypto.ts";
import { surroundWith } from "./host/globals.ts";
import { waiting } from "./host/incarnation.ts";
import type { System } from "./host/system.ts";
import { WorkerHost } from "./host/worker.ts";
import { queueApi } from "./models/queue-api.ts";
import { type Message, Queue } from "./models/queue.ts";
import { Workos } from "./models/workos.ts";
import { Network, type HttpReply, type HttpRequest } from "./network.ts";
import { Operator, WORKER_URL } from "./operator.ts";
import { drawPlan, type Plan, POISON_ACTION } from "./plan.ts";
import { Random } from "./random.ts";

const START_MS = 1_800_000_000_000;
const ADMIN_TOKEN = "admin-token-of-the-simulation";

export class World {
  readonly time = new VirtualTime(START_MS);
  readonly random: Random;
  readonly plan: Plan;
  readonly chaos: Chaos;
  readonly history = new History();
  readonly network: Network;
  readonly workos: Workos;
  readonly queue: Queue;
  readonly worker: WorkerHost;
  readonly gateway: Gateway;
  readonly operator: Operator;
  readonly system: System;
  #ingestKey: string;

  constructor(seed: number, system: System) {
    const { time } = this;
    const random = new Random(seed);
    this.random = random;
    this.system = system;
    const plan = drawPlan(new Random(seed ^ 0x5eed), START_MS);
    this.plan = plan;
    this.chaos = new Chaos(time, random, plan.spells, plan.noise);
    this.network = new Network({ time, random, trouble: this.chaos.linkTrouble });
    this.#ingestKey = webhookKey(random);
    this.workos = new Workos({ time, spoil: this.chaos.spoilWorkos, repeatsRefusals: plan.repeatsRefusals });
    this.workos.wrongSchemas.add(POISON_ACTION);
    this.queue = this.#makeQueue();
    this.worker = this.#makeWorker();
    const send = (request: HttpRequest, signal?: AbortSignal) => this.network.send(request, signal);
    this.gateway = new Gateway(system, this.#gatewayOptions(), plan.gatewaySkewsMs, { time, random, send });
    const wait = (ms: number) => waiting<void>((done) => time.after(ms, done));
    const { queue, workos } = this;
    this.operator = new Operator({ random, send, wait, queue, workos, adminToken: ADMIN_TOKEN });
    surroundWith({ time, random, fetch: this.worker.fetch });
    this.#serve();
  }

  /** The worker takes both keys from now on; the gateway signs with the new one once it is deployed. */
  rotateIngestKey(): void {
    const previous = this.#ingestKey;
    this.#ingestKey = webhookKey(this.random);
    this.worker.deploy({ AUDIT_INGEST_KEY: this.#ingestKey, AUDIT_INGEST_KEY_PREVIOUS: previous });
    const later = () => this.gateway.deploy({ ingestKey: this.#ingestKey });
    this.time.after(this.random.int(1_000, 600_000), later);
  }

  close(): void {
    surroundWith(undefined);
    this.worker.close();
  }

  #serve(): void {
    this.network.serve("workos", this.workos.serve);
    this.network.serve("queue", queueApi(this.queue, this.chaos.spoilQueue));
    this.network.serve("worker", async (request) => {
      const reply = await this.worker.serve(request);
      if (new URL(request.url).pathname === "/ingest" && reply.status === 202) this.#see(request.body, "outbox");
      return reply;
    });
  }

  #see(body: string, by: "queue" | "outbox"): void {
    const decoded = this.system.decodeMessage(Buffer.from(body));
    if (decoded.kind !== "message") throw new Error("a message of ours cannot be read");
    for (const record of decoded.records) this.history.seen.push({ atMs: this.time.now(), record, by });
  }

  #makeQueue(): Queue {
    const { time, random, plan, chaos } = this;
    return new Queue({
      time,
      random,
      deliver: (request: HttpRequest, timeoutMs: number): Promise<HttpReply> =>
        Promise.race([
          this.network.send(request),
          new Promise<never>((_, fail) => void time.after(timeoutMs, () => fail(new Error("timeout")))),
        ]),
      accepted: (message: Message) => {
        if (message.url.endsWith("/deliver")) this.#see(message.body, "queue");
      },
      deduplicationMs: plan.deduplicationMs,
      dlqRetentionMs: plan.dlqRetentionMs,
      duplicate: () => chaos.isOn && random.chance(plan.duplicates),
      jitterMs: () => (random.chance(0.2) ? random.int(0, 20_000) : random.int(0, 50)),
      losesCallback: () => chaos.isOn && random.chance(plan.lostCallbacks),
    });
  }

  #makeWorker(): WorkerHost {
    const { time, random, plan, chaos } = this;
    const { keys } = this.queue;
    const variables = {
      WORKOS_API_KEY: this.workos.apiKey,
      WORKOS_BASE_URL: "https://workos.sim",
      QSTASH_URL: "https://queue.sim",
      QSTASH_TOKEN: "token",
      QSTASH_CURRENT_SIGNING_KEY: keys.current,
      QSTASH_NEXT_SIGNING_KEY: keys.next,
      AUDIT_WORKER_URL: WORKER_URL,
      AUDIT_INGEST_KEY: this.#ingestKey,
      AUDIT_ADMIN_TOKEN: ADMIN_TOKEN,
      AUDIT_ORGANIZATION_ID: "org_1",
    };
    const spreadMs = plan.workerSkewSpreadMs;
    return new WorkerHost(this.system, variables, {
      time,
      random,
      skewMs: () => plan.workerSkewMs + (spreadMs > 0 ? random.int(-spreadMs, spreadMs) : 0),
      trouble: chaos.callTrouble,
      mayCrash: chaos.mayCrash,
      arrived: (host, method, args) => this.history.noteArrival(time.now(), host.name, method, args),
      observe: (host, method, args, result) => this.history.noteCall(time.now(), host.name, method, args, result),
      send: (request, signal) => this.network.send(request, signal),
    });
  }

  #gatewayOptions() {
    return {
      ...this.plan.options,
      qstashUrl: "https://queue.sim",
      qstashToken: "token",
      workerUrl: WORKER_URL,
      ingestKey: this.#ingestKey,
    };
  }
}
