/** One schedule: messages, an outage of WorkOS, people and crashes around the worker's real rules, under a virtual clock. */
import { DatabaseSync } from "node:sqlite";
import { VirtualTime } from "../../../bench/virtual-time.ts";
import { sqlPort } from "../../../dev/sql-port.ts";
import { mintEventId } from "../../../shared/event-id.ts";
import type { AttemptOutcome, Verdict } from "../../../shared/outcome.ts";
import { publishHeaders } from "../../../shared/qstash-headers.ts";
import type { AuditRecord } from "../../../shared/record.ts";
import { encodeMessage } from "../../../shared/wire.ts";
import type { DeliverPorts } from "../../../worker/delivery/ports.ts";
import type { LedgerShard } from "../../../worker/ledger/shard.ts";
import type { LedgerPort } from "../../../worker/ledger/types.ts";
import type { Turn } from "../../../worker/monitor/pause.ts";
import type { ProbePorts } from "../../../worker/monitor/probe.ts";
import { waitingBodies } from "../../../worker/qstash/message-log.ts";
import type { Settings } from "../../../worker/variables.ts";
import type { WorkosReply } from "../../../worker/workos.ts";
import { queueApi } from "../models/queue-api.ts";
import { Queue } from "../models/queue.ts";
import { Workos } from "../models/workos.ts";
import type { HttpReply, HttpRequest } from "../network.ts";
import { Random } from "../random.ts";
import type { Core, DeliveryControl } from "./core.ts";
import { MonitorHost, type ProbeControl } from "./monitor-host.ts";
import { planOf, type OutagePlan, type Poison } from "./plan.ts";
import { Outage } from "./trouble.ts";

const START_MS = 1_800_000_000_000;
const CRON_MS = 300_000;
const WORKOS_TIMEOUT_MS = 15_000;
const API_KEY = "sk_live_right";
const WORKER_URL = "https://worker.sim";
const FLOW_KEY = "workos";
const REFUSED_ACTION = "item.refused";
/** As the route of deliveries has it. */
const HELD: AttemptOutcome = { kind: "retry", wrote: "no", reason: "paused_by_breaker" };

interface WorkosRequest {
  readonly atMs: number;
  readonly id: string;
  readonly isFailed: boolean;
  /** How long an operator's pause has held when it began; undefined without one. */
  readonly pausedForMs: number | undefined;
  /** Whether QStash held back messages then. */
  readonly isQueuePaused: boolean;
}

/** A message whose turn came without a call to the monitor: how old the last call was, and whether a request had failed since. */
interface UnaskedTurn {
  readonly askedAgoMs: number;
  readonly isAfterFailure: boolean;
}

export interface PublishedEvent {
  readonly id: string;
  readonly messageId: string;
  readonly atMs: number;
  readonly poison: Poison;
}

export class OutageWorld {
  readonly time = new VirtualTime(START_MS);
  readonly plan: OutagePlan;
  readonly published: PublishedEvent[] = [];
  readonly requests: WorkosRequest[] = [];
  /** Event ids and reasons. */
  readonly deadLetters: { readonly id: string; readonly reason: string }[] = [];
  /** When the queue began the attempts that failed, by message. */
  readonly spent = new Map<string, number[]>();
  readonly resumes: number[] = [];
  readonly unaskedTurns: UnaskedTurn[] = [];
  readonly workos: Workos;
  readonly queue: Queue;
  readonly monitor: MonitorHost;
  /** When everything works again, and no person holds delivery back. */
  recoveredMs: number;
  readonly #core: Core;
  readonly #random: Random;
  readonly #settings: Settings;
  readonly #outage: Outage;
  readonly #database = new DatabaseSync(":memory:");
  readonly #shard: LedgerShard;
  readonly #env = { MONITOR: { getByName: () => this.#stub() } };
  readonly #failing = new Set<string>();
  #pausedSinceMs: number | undefined;
  /** The last call to the monitor for a turn. */
  #asked = { atMs: 0, isAfterFailure: false };
  #leases = 0;
  #probes = 0;
  #isCronOn = true;

  constructor(seed: number, core: Core) {
    this.#core = core;
    this.#random = new Random(seed);
    this.plan = planOf(seed);
    const { time, plan } = this;
    const random = this.#random;
    this.#settings = {
      WORKOS_API_KEY: API_KEY,
      WORKOS_BASE_URL: "https://workos.sim",
      QSTASH_URL: "https://queue.sim",
      QSTASH_TOKEN: "token",
      AUDIT_WORKER_URL: WORKER_URL,
      AUDIT_FLOW_CONTROL_KEY: FLOW_KEY,
      AUDIT_RATE: plan.ratePerSecond,
    } as Settings;
    this.#outage = new Outage(plan, random, (id) => this.#failing.has(id));
    this.#shard = new core.LedgerShard(sqlPort(this.#database));
    this.workos = new Workos({ time, spoil: () => undefined, repeatsRefusals: random.chance(0.5) });
    this.workos.apiKey = API_KEY;
    this.workos.wrongSchemas.add(REFUSED_ACTION);
    this.queue = new Queue({
      time,
      random,
      deliver: (request) => this.#serve(request),
      accepted: () => undefined,
      deduplicationMs: 600_000,
      dlqRetentionMs: 7 * 86_400_000,
      duplicate: () => false,
      jitterMs: () => 0,
      losesCallback: () => false,
    });
    const probePorts = (control: ProbeControl) => this.#probePorts(control);
    this.monitor = new MonitorHost({ core, time, settings: this.#settings, fetch: this.#fetch, probePorts });
    const { outage, operatorPause, wrongKey } = plan;
    this.recoveredMs = START_MS + Math.max(outage.untilMs, operatorPause?.untilMs ?? 0, wrongKey?.untilMs ?? 0);
  }

  at(sinceStartMs: number, run: () => void): void {
    this.time.at(START_MS + sinceStartMs, run);
  }

  /** Sets everything in motion that was planned. */
  begin(): void {
    const { plan } = this;
    for (const message of plan.messages) this.at(message.atMs, () => this.#publish(message.events, message.poison));
    for (const atMs of plan.crashes) this.at(atMs, () => this.monitor.kill());
    if (plan.operatorPause) this.#planPause(plan.operatorPause.fromMs, plan.operatorPause.untilMs);
    if (plan.wrongKey) {
      this.at(plan.wrongKey.fromMs, () => {
        this.workos.apiKey = "sk_live_other";
      });
      this.at(plan.wrongKey.untilMs, () => {
        this.workos.apiKey = API_KEY;
        void this.#resume();
      });
    }
    const cron = () => {
      if (!this.#isCronOn) return;
      void this.monitor.call((control) => control.reconcile()).catch(() => undefined);
      void this.monitor.call((control) => control.sendLate()).catch(() => undefined);
      this.time.after(CRON_MS, cron);
    };
    this.at(this.#random.int(0, CRON_MS), cron);
  }

  /** Nothing is planned any more, so that time runs out by itself. */
  stopCron(): void {
    this.#isCronOn = false;
  }

  close(): void {
    this.#database.close();
  }

  #planPause(fromMs: number, untilMs: number): void {
    this.at(fromMs, () => void this.#pause());
    this.at(untilMs, () => void this.#resume());
  }

  async #pause(): Promise<void> {
    for (let tries = 0; tries < 10; tries++) {
      try {
        await this.monitor.call((control) => control.pause("by hand", "operator"));
        this.#pausedSinceMs ??= this.time.now();
        return;
      } catch {
        await this.#sleep(1_000);
      }
    }
  }

  /** As a person does it: again and again until it is done. */
  async #resume(): Promise<void> {
    this.#pausedSinceMs = undefined;
    this.resumes.push(this.time.now());
    for (let tries = 0; tries < 10; tries++) {
      if (await this.monitor.call((control) => control.resume()).catch(() => false)) return;
      await this.#sleep(1_000);
    }
  }

  #publish(events: number, poison: Poison): void {
    const records = Array.from({ length: events }, () => this.#record(poison));
    const headers = publishHeaders({ workerUrl: WORKER_URL, deduplicationId: records[0]?.id ?? "", retries: 3 });
    const body = JSON.stringify(encodeMessage(records));
    const { messageId } = this.queue.publish({ url: `${WORKER_URL}/deliver`, headers, body });
    for (const { id } of records) {
      if (poison === "failing") this.#failing.add(id);
      this.published.push({ id, messageId, atMs: this.time.now(), poison });
    }
  }

  #record(poison: Poison): AuditRecord {
    const occurredAtMs = this.time.now();
    return {
      id: mintEventId(occurredAtMs, this.#random.fillBytes(new Uint8Array(9)), 0),
      stage: "outcome",
      occurredAtMs,
      action: poison === "refused" ? REFUSED_ACTION : "item.made",
      organization: "org_1",
      actor: { id: "user_1", type: "user" },
      targets: [{ id: "item_1", type: "item" }],
      method: "POST",
      route: "/items",
      status: 200,
      outcome: "success",
      assurance: "best-effort",
      gateway: { isolateId: "iso1", policyVersion: "0.1.0" },
      sequence: this.published.length + 1,
    };
  }

  async #serve(request: HttpRequest): Promise<HttpReply> {
    if (request.url.endsWith("/dead-letter")) {
      const { sourceMessageId } = JSON.parse(request.body) as { sourceMessageId: string };
      const open = this.published.filter(
        ({ messageId, id }) => messageId === sourceMessageId && !this.#isDelivered(id),
      );
      this.#shard.parked(open.map(({ id }) => id));
      this.deadLetters.push(...open.map(({ id }) => ({ id, reason: "exhausted" })));
      return { status: 200, text: "" };
    }
    const atMs = this.time.now();
    const answer = await this.#deliver(request);
    const messageId = request.headers["upstash-message-id"] ?? "";
    // A 489 ends the message.
    if (!answer.ok && answer.status !== 489) this.spent.set(messageId, [...(this.spent.get(messageId) ?? []), atMs]);
    return { status: answer.status, headers: Object.fromEntries(answer.headers), text: "" };
  }

  #isDelivered(id: string): boolean {
    return this.#shard.lookup([id], this.time.now())[0]?.state === "delivered";
  }

  /** What the route of deliveries does with a message. */
  async #deliver({ headers, body }: HttpRequest): Promise<Response> {
    const { time } = this;
    const decoded = this.#core.decodeMessage(Buffer.from(body));
    const records = decoded.kind === "message" ? decoded.records : [];
    let turn = await this.#takeTurn(records.length);
    const retries = { retried: Number(headers["upstash-retried"]), retries: 3 };
    if (turn.waitMs > this.#core.TURN_MAX_MS) {
      return new Response(null, { status: 503, headers: { "retry-after": String(Math.ceil(turn.waitMs / 1_000)) } });
    }
    if (turn.waitMs > 0) {
      await this.#sleep(turn.waitMs);
      if (turn.waitMs >= 1_000) turn = await this.#takeTurn(0);
    }
    const held = turn.pause?.by === "breaker" ? { held: HELD } : {};
    if (turn.pause && turn.pause.by !== "breaker") return this.#core.pausedAnswer(turn.pause.by, retries);
    const verdicts: Verdict[] = [];
    const ports = this.#deliverPorts((heard) => void verdicts.push(...heard));
    const delivery = { lease: this.#lease(), ...retries, ...held };
    const results = await this.#core.deliverRecords(records, delivery, ports);
    const isRefused = results.some((result) => result.kind === "retry" && result.pause === true);
    if (isRefused) await this.#core.pauseDelivery(this.#env, "wrong key", "credential").catch(() => undefined);
    if (verdicts.includes("failed")) this.#asked.isAfterFailure = true;
    await this.#core.reportVerdicts(this.#env, verdicts, turn.isWatched, time.now());
    const isOpen = results.some(({ kind }) => kind === "retry");
    return delivery.held && isOpen
      ? this.#core.pausedAnswer("breaker", delivery)
      : this.#core.answerFor(results, delivery, time.now());
  }

  #takeTurn(count: number): Promise<Turn> {
    const nowMs = this.time.now();
    const before = this.#asked;
    const turn = this.#core.takeTurn(this.#env, count, [0], nowMs);
    if (this.#asked === before) {
      this.unaskedTurns.push({ askedAgoMs: nowMs - before.atMs, isAfterFailure: before.isAfterFailure });
    }
    return turn;
  }

  #deliverPorts(heard: DeliverPorts["heard"]): DeliverPorts {
    return {
      now: this.time.now,
      ledger: this.#ledger(),
      prepare: (records) => this.#core.prepareAll(records, undefined),
      send: (body, key) => this.#send(body, key),
      park: (entries) => {
        this.deadLetters.push(...entries.map(({ eventId, reason }) => ({ id: eventId, reason })));
        this.#shard.parked(entries.map(({ eventId }) => eventId));
        return Promise.resolve();
      },
      heard,
      observe: () => undefined,
    };
  }

  #ledger(): LedgerPort {
    return {
      claim: (lease, claims, nowMs) => Promise.resolve(this.#shard.claim(lease, claims, nowMs)),
      settle: (lease, settlements, nowMs) => Promise.resolve(this.#shard.settle(lease, settlements, nowMs)),
    };
  }

  #probePorts({ takeTurn, isStopped, flowKeys }: ProbeControl): ProbePorts {
    const { time } = this;
    const lease = this.#lease();
    const ledger = this.#ledger();
    return {
      now: time.now,
      candidates: () => Promise.resolve(this.#shard.waitingSince(10_000)),
      claim: (id) => Promise.resolve(this.#shard.claimWaiting(id, lease, time.now())),
      claimUntried: () =>
        this.#core.claimUntried(lease, {
          now: time.now,
          bodies: () => waitingBodies(this.#settings, this.#fetch, flowKeys),
          lookup: (ids) =>
            Promise.resolve(new Map(this.#shard.lookup(ids, time.now()).map((entry) => [entry.id, entry]))),
          prepare: (records) => this.#core.prepareAll(records, undefined),
          ledger,
        }),
      send: (body, key) => this.#sendProbe(body, key),
      settle: ({ id }, attempt) => ledger.settle(lease, [{ id, attempt }], time.now()),
      turn: () => this.#sleep(takeTurn()),
      isStopped,
    };
  }

  #sendProbe(body: string, key: string): Promise<WorkosReply> {
    this.#probes += 1;
    const { pauseAtProbe } = this.plan;
    const untilMs = START_MS + (pauseAtProbe?.untilMs ?? 0);
    if (pauseAtProbe?.probe === this.#probes && this.time.now() < untilMs) {
      this.recoveredMs = Math.max(this.recoveredMs, untilMs);
      void this.#pause();
      this.time.at(untilMs, () => void this.#resume());
    }
    return this.#send(body, key);
  }

  async #send(body: string, key: string): Promise<WorkosReply> {
    const { time } = this;
    const { event } = JSON.parse(body) as { event: { metadata: { event_id: string } } };
    const id = event.metadata.event_id;
    const atMs = time.now();
    const trouble = this.#outage.next(id, atMs - START_MS);
    this.requests.push({
      atMs,
      id,
      isFailed: trouble !== undefined,
      pausedForMs: this.#pausedSinceMs === undefined ? undefined : atMs - this.#pausedSinceMs,
      isQueuePaused: this.queue.pausedKeys.has(FLOW_KEY),
    });
    const headers = { authorization: `Bearer ${API_KEY}`, "idempotency-key": key };
    const request = { method: "POST", url: "https://workos.sim/audit_logs/events", headers, body };
    const reply = trouble && !trouble.isStored ? undefined : await this.workos.serve(request);
    await this.#sleep(trouble?.answer === "lost" ? WORKOS_TIMEOUT_MS : this.plan.latencyMs);
    if (trouble?.answer === "lost") return { answer: { kind: "timeout" } };
    if (trouble?.answer === "network") return { answer: { kind: "network" } };
    if (trouble) return { answer: { kind: "response", ...trouble.answer } };
    return { answer: { kind: "response", status: reply?.status ?? 0, json: JSON.parse(reply?.text ?? "null") } };
  }

  readonly #fetch = (async (url: string, { method = "GET" }: RequestInit = {}) => {
    await this.#sleep(20);
    const reply = await queueApi(this.queue, () => undefined)({ method, url, headers: {}, body: "" });
    return new Response(reply.text, { status: reply.status });
  }) as typeof fetch;

  #stub() {
    const call =
      <A extends readonly unknown[], R>(run: (control: DeliveryControl, ...args: A) => Promise<R>) =>
      (...args: A) =>
        this.monitor.call((control) => run(control, ...args));
    const turn = call((control, ...args: Parameters<DeliveryControl["turn"]>) => control.turn(...args));
    return {
      turn: (count: number, longestMs: number, agoMs: number | null, _shards: unknown, ...held: [number, number]) => {
        this.#asked = { atMs: this.time.now(), isAfterFailure: false };
        return turn(count, longestMs, agoMs, ...held);
      },
      ended: call((control, ...args: Parameters<DeliveryControl["ended"]>) => control.ended(...args)),
      pause: call((control, ...args: Parameters<DeliveryControl["pause"]>) => control.pause(...args)),
    };
  }

  #lease(): string {
    this.#leases += 1;
    return `lease ${this.#leases}`;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.time.after(ms, resolve));
  }
}
