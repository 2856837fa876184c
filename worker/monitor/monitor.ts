/** The one place that knows whether delivery is paused, how fast it goes and which incidents are open; a single Durable Object. */
import { DurableObject } from "cloudflare:workers";
import type { Verdict } from "../../shared/outcome.ts";
import { parseSettings, type Env, type Settings } from "../env.ts";
import { durableSql } from "../storage/durable-sql.ts";
import type { FlowKey } from "../qstash/flow-control.ts";
import { Agenda } from "./agenda.ts";
import { Announcer } from "./announcer.ts";
import { afterAttempt, afterDelivered, afterProbe, afterProbeBegan, CLOSED, type Breaker } from "./breaker.ts";
import { DeliveryState } from "./delivery-state.ts";
import { Incidents, type Incident, type IncidentKind } from "./incidents.ts";
import { Pace } from "./pace.ts";
import { outranks, type Pause, type Turn } from "./pause.ts";
import { probe } from "./probe.ts";
import { probePorts } from "./probe-ports.ts";
import { changeAtQueue, ownKeys, pauseQueue, resumeQueue, type OwnKeys } from "./queue-switch.ts";
import { Tally, type Numbers } from "./tally.ts";

export class Monitor extends DurableObject<Env> {
  readonly #incidents: Incidents;
  readonly #announcer: Announcer;
  readonly #pace: Pace;
  readonly #tally: Tally;
  readonly #state: DeliveryState;
  readonly #now = () => Date.now();
  readonly #agenda: Agenda<"pause" | "alert">;
  /** Ends when the last call to QStash's switch has ended. */
  #switching: Promise<unknown> = Promise.resolve();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { kv } = ctx.storage;
    this.#incidents = new Incidents(durableSql(ctx.storage));
    this.#announcer = new Announcer(this.#incidents, env);
    this.#pace = new Pace(kv);
    this.#tally = new Tally(kv);
    this.#state = new DeliveryState(kv);
    const setAlarm = (atMs: number) => ctx.storage.setAlarm(atMs);
    this.#agenda = new Agenda({ now: this.#now, setAlarm, dueMs: () => this.#dueMs() });
    this.#doubtPause();
    // A crash between a change and its alarm must not strand it.
    if (this.#dueMs() !== undefined) void ctx.blockConcurrencyWhile(() => this.#agenda.arm());
  }

  /**
   * The turn of a delivery of `count` events, whose tokens are taken. `answeredAgoMs` is how long ago WorkOS answered as itself to the
   * caller, if it has not said so yet.
   */
  async turn(count: number, longestWaitMs: number, answeredAgoMs: number | null): Promise<Turn> {
    await this.#agenda.look();
    const nowMs = this.#now();
    const { lastFailureMs } = this.#state.breaker;
    // An answer older than the newest failure breaks no row of failures.
    if (answeredAgoMs !== null && nowMs - answeredAgoMs > lastFailureMs)
      await this.#become(afterDelivered(this.#state.breaker, 1));
    const waitMs = this.#state.pause
      ? 0
      : this.#pace.take(count, this.#settings()?.AUDIT_RATE ?? 1, longestWaitMs, nowMs);
    return {
      pause: this.#state.pause,
      waitMs,
      isWatched: this.#state.breaker.phase !== "closed" || this.#state.breaker.failures > 0,
    };
  }

  /** The ends of attempts, in order. `deliveredBefore` of them were delivered earlier without a report. */
  async ended(verdicts: readonly Verdict[], deliveredBefore: number): Promise<void> {
    const nowMs = this.#now();
    // Another pause holds: nothing is to be learned from attempts that were under way.
    if (this.#state.pause) return;
    let breaker = afterDelivered(this.#state.breaker, deliveredBefore);
    for (const verdict of verdicts) breaker = afterAttempt(breaker, verdict, nowMs);
    await this.#become(breaker);
  }

  pauseState(): Pause | null {
    return this.#state.pause;
  }

  /** When the next probe is due; null where none is. */
  nextProbeMs(): number | null {
    return this.#state.isProbing ? this.#state.breaker.nextProbeMs : null;
  }

  numbers(): Numbers {
    return this.#tally.numbers();
  }

  /** Pauses delivery: remembered first, then at QStash, again and again until that confirms it. */
  pause(reason: string, by: Pause["by"]): Promise<Pause> {
    return this.#inTurn(async () => {
      const known = this.#state.pause;
      if (known && !outranks(by, known)) return known;
      // What QStash was told for the breaker holds for the other as well.
      const pause: Pause = { confirmed: false, ...known, reason, by, sinceMs: this.#now() };
      this.#state.pause = pause;
      await this.report("paused", `delivery is paused: ${reason}`);
      return pause.confirmed ? pause : this.#confirm(pause);
    });
  }

  /**
   * Forgets the pause, then resumes at QStash, so that no message comes too early; false where QStash does not confirm it, and
   * then delivery stays paused. Whatever the breaker knew is forgotten too.
   */
  resume(): Promise<boolean> {
    return this.#inTurn(async () => {
      const isResumed = await this.#resumeTo(CLOSED);
      if (isResumed) await this.#resolveAll(["paused", "destination_down"]);
      return isResumed;
    });
  }

  /** Opens an incident; one that is open already is left alone. The alert goes out behind the answer. */
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

  incidents(): readonly Incident[] {
    return this.#incidents.list();
  }

  /**
   * Takes over how the configured key stands at QStash: one that runs again is a resume, and one that was paused there is a pause.
   * Returns the keys of ours.
   */
  async reconcile(): Promise<OwnKeys> {
    await this.#agenda.look();
    const switching = this.#switching;
    await switching;
    const settings = this.#settings();
    if (!settings) return { kind: "unreachable", reason: "not_configured" };
    const known = this.#state.pause;
    const own = await ownKeys(settings, fetch, this.#state.usedKeys(settings));
    if (own.kind === "unreachable") return own;
    // What QStash said is out of date where somebody pauses or resumes here meanwhile.
    if (known?.confirmed !== false && switching === this.#switching) await this.#takeOver(settings, known, own.keys);
    return own;
  }

  async #takeOver(settings: Settings, known: Pause | null, keys: readonly FlowKey[]): Promise<void> {
    const key = settings.AUDIT_FLOW_CONTROL_KEY;
    const change = changeAtQueue(known !== null, key, keys);
    if (change === "resumed") {
      this.#state.pause = null;
      this.#state.breaker = CLOSED;
      await this.#resolveAll(["paused", "destination_down"]);
    } else if (change === "incomplete" && known) {
      this.#state.pause = { ...known, confirmed: false };
      await this.#agenda.arm();
    } else if (change === "paused") {
      const reason = "paused at QStash";
      this.#state.pause = { reason, by: "operator", sinceMs: this.#now(), confirmed: true, key };
      await this.report("paused", `delivery is paused: ${reason}`);
    }
  }

  /** Never throws: an alarm that fails seven times is given up. */
  override async alarm(): Promise<void> {
    this.#agenda.rang();
    const done = await Promise.allSettled([this.#confirmPending(), this.#announce(), this.#probe()]);
    for (const step of done) {
      if (step.status === "fulfilled") continue;
      const type = step.reason instanceof Error ? step.reason.name : "unknown";
      console.error(JSON.stringify({ "event.name": "audit.failure", severity_text: "ERROR", "error.type": type }));
      this.#agenda.failed("pause");
      this.#agenda.failed("alert");
    }
    await this.#agenda.arm();
  }

  /** A state of the breaker that is new is stored, and acted on where its phase has changed. */
  async #become(breaker: Breaker): Promise<void> {
    const before = this.#state.breaker;
    if (breaker === before) return;
    this.#state.breaker = breaker;
    if (breaker.phase === before.phase) return;
    if (breaker.phase === "closed") await this.resolve("destination_down");
    if (breaker.phase === "open") await this.#open();
  }

  async #open(): Promise<void> {
    this.#tally.add({ breaker_opened: 1 });
    const reason = "WorkOS is down";
    const pause: Pause = { reason, by: "breaker", sinceMs: this.#now(), confirmed: false };
    this.#state.pause = pause;
    await this.report("destination_down", "WorkOS does not take events; delivery waits, and goes on by itself");
    await this.#inTurn(async () => {
      if (this.#state.pause === pause) await this.#confirm(pause);
    });
    await this.#agenda.arm();
  }

  async #probe(): Promise<void> {
    const settings = this.#settings();
    if (!settings || !this.#state.isProbing || this.#state.breaker.nextProbeMs > this.#now()) return;
    // The next one is set first: a crash must not probe again at once.
    this.#state.breaker = afterProbeBegan(this.#state.breaker, this.#now());
    const takeTurn = () => this.#pace.take(1, settings.AUDIT_RATE, Infinity, this.#now());
    const isStopped = () => !this.#state.isProbing;
    const probed = await probe(probePorts(this.env, settings, { now: this.#now, takeTurn, isStopped }));
    if (probed.kind === "stopped" || isStopped()) return;
    this.#tally.add({ [`probes_${probed.kind}`]: 1 });
    if (probed.kind === "refused") await this.pause(`WorkOS refuses the API key (${probed.reason})`, "credential");
    if (probed.kind === "up") await this.#inTurn(() => this.#resumeAfter(probed.delivered));
  }

  async #resumeAfter(delivered: number): Promise<void> {
    if (!this.#state.isProbing) return;
    const next = afterProbe(this.#state.breaker, delivered);
    if ((await this.#resumeTo(next)) && next.phase === "closed") await this.resolve("destination_down");
  }

  /** Resumes at QStash. Where that is not confirmed, or is cut off by a crash, everything stays as it was. */
  async #resumeTo(breaker: Breaker): Promise<boolean> {
    const settings = this.#settings();
    this.#state.beginResume(breaker);
    const isResumed = !!settings && (await resumeQueue(settings, fetch, this.#state.usedKeys(settings)));
    this.#state.endResume(isResumed);
    // The alarm may have rung meanwhile and found nothing to do.
    await this.#agenda.arm();
    return isResumed;
  }

  async #confirmPending(): Promise<void> {
    if (this.#state.pause?.confirmed !== false) return;
    await this.#inTurn(async () => {
      if (this.#state.pause?.confirmed === false) await this.#confirm(this.#state.pause);
    });
  }

  async #confirm(pause: Pause): Promise<Pause> {
    const settings = this.#settings();
    const confirmed = !!settings && (await pauseQueue(settings, fetch, this.#state.usedKeys(settings)));
    const asked = { ...pause, confirmed, ...(settings ? { key: settings.AUDIT_FLOW_CONTROL_KEY } : {}) };
    this.#state.pause = asked;
    if (confirmed) this.#agenda.succeeded("pause");
    else this.#agenda.failed("pause");
    await this.#agenda.arm();
    return asked;
  }

  /** One after another: of two calls under way at once, the one asked first could reach QStash last. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#switching.then(work);
    this.#switching = done.catch(() => undefined);
    return done;
  }

  async #resolveAll(kinds: readonly IncidentKind[]): Promise<void> {
    for (const kind of kinds) await this.resolve(kind);
  }

  /** The alert goes out behind the answer. */
  async #announceSoon(): Promise<void> {
    await this.#agenda.guard("alert");
    this.ctx.waitUntil(this.#announce().then(() => this.#agenda.arm()));
  }

  async #announce(): Promise<void> {
    if (!this.#announcer.isPending()) return;
    if (await this.#announcer.send()) this.#agenda.succeeded("alert");
    else this.#agenda.failed("alert");
  }

  #dueMs(): number | undefined {
    const due = [
      this.#state.pause?.confirmed === false ? this.#agenda.retryMs("pause") : Infinity,
      this.#announcer.isPending() ? this.#agenda.retryMs("alert") : Infinity,
      this.#state.isProbing ? this.#state.breaker.nextProbeMs : Infinity,
    ];
    const dueMs = Math.min(...due);
    return dueMs === Infinity ? undefined : dueMs;
  }

  /** A pause under another key than the configured one holds back nothing that is published now. */
  #doubtPause(): void {
    const key = this.#settings()?.AUDIT_FLOW_CONTROL_KEY;
    const { confirmed, key: paused = key } = this.#state.pause ?? {};
    if (this.#state.pause && confirmed && paused !== key)
      this.#state.pause = { ...this.#state.pause, confirmed: false };
  }

  #settings(): Settings | undefined {
    const parsed = parseSettings(this.env);
    return parsed.ok ? parsed.settings : undefined;
  }
}
