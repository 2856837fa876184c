/** The single Durable Object that holds whether delivery is paused, its pace and the open incidents. */
import { DurableObject } from "cloudflare:workers";
import type { Verdict } from "../../shared/outcome.ts";
import { environmentOf, type Env, type PlatformEnv } from "../env.ts";
import { parseSettings, type Settings } from "../variables.ts";
import { logFailure } from "../log.ts";
import type { Numbers } from "../numbers.ts";
import { durableSql } from "../storage/durable-sql.ts";
import { ActiveShards } from "./active-shards.ts";
import { Agenda } from "./agenda.ts";
import { Announcer } from "./announcer.ts";
import { DeliveryControl } from "./delivery-control.ts";
import { History, MINUTE_S, slotOf, type Slot } from "./history.ts";
import { Incidents, type Incident, type IncidentKind } from "./incidents.ts";
import { actionsBetween, HISTORY_KEPT_MS, noteAction, type NotedAction } from "./operator-actions.ts";
import type { Pause, Turn } from "./pause.ts";
import { probeGateway } from "./gateway-probe.ts";
import { probePorts } from "./probe-ports.ts";
import type { OwnKeys } from "./queue-switch.ts";
import { Refusals, type RefusalReport } from "./refusals.ts";
import { RoundLog, type Round, type Rounds } from "./rounds.ts";
import { Tally } from "./tally.ts";

/** Consecutive failed sweeps that open an incident. */
const FAILED_SWEEPS = 3;
/** Most messages that may wait at QStash while delivery is not paused. */
const BACKLOG_MESSAGES = 10_000;

interface MonitorStatus {
  readonly pause: Pause | null;
  /** When the next probe of WorkOS is due; null if none is. */
  readonly nextProbeMs: number | null;
  readonly incidents: readonly Incident[];
  readonly numbers: Numbers;
  readonly rounds: Rounds;
  readonly storageBytes: number;
  /** When the states of the history were last sampled, ms since the epoch; 0: not since the start. */
  readonly sampledMs: number;
}

/** An incident with what operators did during it. */
export type IncidentStory = Incident & { readonly actions: readonly NotedAction[] };

export class Monitor extends DurableObject<Env> {
  readonly #now: () => number;
  readonly #incidents: Incidents;
  readonly #announcer: Announcer;
  readonly #tally: Tally;
  readonly #rounds: RoundLog;
  readonly #refusals = new Refusals();
  readonly #history: History;
  readonly #agenda: Agenda<"pause" | "alert">;
  readonly #delivery: DeliveryControl;
  readonly #shards: ActiveShards;

  constructor(ctx: DurableObjectState, platformEnv: PlatformEnv) {
    const env = environmentOf(platformEnv);
    super(ctx, env);
    this.#now = env.clock.now;
    const { kv } = ctx.storage;
    this.#incidents = new Incidents(durableSql(ctx.storage));
    this.#announcer = new Announcer(this.#incidents, env);
    this.#tally = new Tally(kv);
    this.#rounds = new RoundLog(kv, this.#now());
    this.#history = new History(durableSql(ctx.storage));
    this.#shards = new ActiveShards(kv, this.#now());
    const setAlarm = (atMs: number) => env.clock.setAlarm(ctx.storage, atMs);
    this.#agenda = new Agenda({ now: this.#now, setAlarm, dueMs: () => this.#dueMs() });
    this.#delivery = new DeliveryControl({
      settings: () => settingsOf(env),
      fetch: (url, init) => fetch(url, init),
      probePorts: (settings, control) => probePorts(env, settings, control, () => this.#shards.list()),
      store: kv,
      now: this.#now,
      agenda: this.#agenda,
      tally: this.#tally,
      report: (kind, detail) => this.report(kind, detail),
      resolve: (kind) => this.resolve(kind),
      delivered: (count) => {
        const nowMs = this.#now();
        this.#history.add([{ atS: slotOf(nowMs / 1_000, MINUTE_S), numbers: { delivered: count } }], nowMs);
      },
    });
    // A crash between a change and its alarm must not leave it without an alarm.
    if (this.#dueMs() !== undefined) void ctx.blockConcurrencyWhile(() => this.#agenda.arm());
  }

  /** The jurisdiction that this worker was first used with; null before its first request. A separate object stores it. */
  jurisdiction(): string | null {
    return this.ctx.storage.kv.get<string>("jurisdiction") ?? null;
  }

  /** Stores the first jurisdiction, and returns the stored one from then on. */
  keepJurisdiction(jurisdiction: string): string {
    const known = this.jurisdiction();
    if (known === null) this.ctx.storage.kv.put("jurisdiction", jurisdiction);
    return known ?? jurisdiction;
  }

  /** See `DeliveryControl.turn`. `shards` are those of the ledger that the delivery claims from. */
  async turn(
    count: number,
    longestWaitMs: number,
    answeredAgoMs: number | null,
    shards: readonly number[],
    wanted?: number,
    unused?: number,
  ): Promise<Turn> {
    this.#shards.name(shards, this.#now());
    await this.#agenda.look();
    return this.#delivery.turn(count, longestWaitMs, answeredAgoMs, wanted, unused);
  }

  /** The ledger shards in which something may wait. */
  activeShards(): readonly number[] {
    return this.#shards.list();
  }

  /** See `ActiveShards.release`. */
  releaseShards(idle: readonly number[]): void {
    this.#shards.release(idle, this.#now());
  }

  ended(verdicts: readonly Verdict[], deliveredBefore: number): Promise<void> {
    return this.#delivery.ended(verdicts, deliveredBefore);
  }

  pause(reason: string, by: Pause["by"], operator?: string): Promise<Pause> {
    return this.#delivery.pause(reason, by, operator);
  }

  resume(): Promise<boolean> {
    return this.#delivery.resume();
  }

  async reconcile(): Promise<OwnKeys> {
    await this.#agenda.look();
    const own = await this.#delivery.reconcile();
    if (own.kind === "known") {
      const waiting = own.keys.reduce((sum, key) => sum + key.waiting, 0);
      this.#rounds.waitingMessages = waiting;
      const isBacklog = waiting > BACKLOG_MESSAGES && this.#delivery.pauseState === null;
      await this.#report(isBacklog, "queue_backlog", `${waiting} messages wait at QStash while delivery is not paused`);
    }
    return own;
  }

  /** See `DeliveryControl.sendLate`. */
  sendLate(): Promise<void> {
    return this.#delivery.sendLate();
  }

  /** Everything that `/health` and `/metrics` show of the monitor. */
  status(): MonitorStatus {
    return {
      pause: this.#delivery.pauseState,
      nextProbeMs: this.#delivery.nextProbeMs,
      incidents: this.#incidents.list(),
      numbers: this.#tally.numbers(),
      rounds: this.#rounds.rounds,
      storageBytes: this.ctx.storage.sql.databaseSize,
      sampledMs: this.#history.sampledMs,
    };
  }

  incidents(): readonly Incident[] {
    return this.#incidents.list();
  }

  /** Returns open incidents, newest first, then those that ended in the last 30 days. */
  stories(): readonly IncidentStory[] {
    const nowMs = this.#now();
    const sql = durableSql(this.ctx.storage);
    return [...this.#incidents.list().toReversed(), ...this.#incidents.ended(nowMs - HISTORY_KEPT_MS)].map(
      (incident) => ({
        ...incident,
        actions: actionsBetween(sql, incident.sinceMs, incident.untilMs ?? nowMs),
      }),
    );
  }

  /** Stores what an operator did. */
  noteAction(noted: NotedAction): void {
    noteAction(durableSql(this.ctx.storage), noted);
  }

  /** Counts what an isolate has refused. */
  async refused(report: RefusalReport): Promise<void> {
    const counts = Object.entries(report.counts).map(([name, count]) => [`refused ${name}`, count]);
    if (counts.length > 0) this.#tally.add(Object.fromEntries(counts) as Numbers);
    const { deliveries, requests } = this.#refusals.note(report, this.#now());
    if (deliveries !== undefined) await this.report("deliveries_refused", deliveries);
    if (requests !== undefined) await this.report("requests_refused", requests);
  }

  /** Adds what an isolate has counted to the history. An isolate of the previous release names no policies. */
  async counted(slots: readonly Slot[], policies: readonly string[] = []): Promise<void> {
    this.#history.add(slots, this.#now());
    this.#rounds.seen(policies, this.#now());
    await this.#agenda.arm();
  }

  /** Adds a sample of states to the history. */
  async sampled(gauges: Numbers): Promise<void> {
    this.#history.sample(gauges, this.#now());
    await this.#agenda.arm();
  }

  history(table: "minutes" | "hours", fromS: number, untilS: number): readonly Slot[] {
    return this.#history.read(table, fromS, untilS, this.#now());
  }

  /** Counts events about operators that WorkOS did not accept. */
  async operatorEventsRefused(count: number, reason: string): Promise<void> {
    this.#tally.add({ operator_events_refused: count });
    await this.report("operator_events_refused", `WorkOS does not accept events about operators: ${reason}`);
  }

  /** Stores the results of a cron round. */
  async round(round: Round): Promise<void> {
    const { failedSweeps, foreign } = this.#rounds.add(round, this.#now());
    const count = foreign.reduce((sum, one) => sum + one.count, 0);
    const letters = count === 1 ? "1 dead letter at QStash has" : `${count} dead letters at QStash have`;
    const detail = `${letters} our label, but a URL that is not this worker's`;
    await this.#report(count > 0, "foreign_messages", detail);
    await this.#report(failedSweeps >= FAILED_SWEEPS, "sweep_failing", "QStash's dead-letter queue cannot be read");
  }

  /** Checks the previous probe of the gateway, and makes the next one. `isSpilled`: messages wait in the outbox. */
  async probeGateway(isSpilled: boolean): Promise<void> {
    const parsed = parseSettings(this.env);
    if (!parsed.ok) return;
    const isHeld = isSpilled || this.#delivery.pauseState !== null || this.#rounds.rounds.waitingMessages > 0;
    const round = { nowMs: this.#now(), isHeld };
    const isSilent = await probeGateway(this.env, parsed.settings, this.ctx.storage.kv, fetch, round);
    await this.#report(isSilent, "gateway_silent", "the records of two probes of the gateway have not arrived");
  }

  /** Opens an incident, or gives an open one a new detail. The alert goes out after the answer. */
  async report(kind: IncidentKind, detail: string): Promise<void> {
    if (this.#announcer.open(kind, detail, this.#now())) await this.#announceSoon();
  }

  async resolve(kind: IncidentKind): Promise<void> {
    if (this.#announcer.close(kind, this.#now())) await this.#announceSoon();
  }

  /** Ends an incident that has not been reported since a time. */
  async endQuiet(kind: IncidentKind, sinceMs: number): Promise<void> {
    if (this.#incidents.isQuiet(kind, sinceMs)) await this.resolve(kind);
  }

  /** Never throws: the platform gives up an alarm that fails seven times. */
  override async alarm(): Promise<void> {
    this.#agenda.rang();
    const done = await Promise.allSettled([this.#announce(), this.#saveHistory(), ...this.#delivery.work()]);
    for (const step of done) {
      if (step.status === "fulfilled") continue;
      logFailure({ task: "monitor_alarm" }, step.reason);
      this.#agenda.failed("pause");
      this.#agenda.failed("alert");
    }
    await this.#agenda.arm();
  }

  #report(isOpen: boolean, kind: IncidentKind, detail: string): Promise<void> {
    return isOpen ? this.report(kind, detail) : this.resolve(kind);
  }

  /** The alert goes out after the answer. */
  async #announceSoon(): Promise<void> {
    await this.#agenda.guard("alert");
    this.ctx.waitUntil(this.#announce().then(() => this.#agenda.arm()));
  }

  async #announce(): Promise<void> {
    if (!this.#announcer.isPending()) return;
    if (await this.#announcer.send()) this.#agenda.succeeded("alert");
    else this.#agenda.failed("alert");
  }

  // Async, so that an error does not stop the others.
  async #saveHistory(): Promise<void> {
    if (this.#history.dueMs <= this.#now()) this.#history.save(this.#now());
  }

  #dueMs(): number | undefined {
    const alertMs = this.#announcer.isPending() ? this.#agenda.retryMs("alert") : Infinity;
    const dueMs = Math.min(alertMs, this.#delivery.dueMs, this.#history.dueMs);
    return dueMs === Infinity ? undefined : dueMs;
  }
}

function settingsOf(env: Env): Settings | undefined {
  const parsed = parseSettings(env);
  return parsed.ok ? parsed.settings : undefined;
}
