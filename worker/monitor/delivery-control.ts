/** Delivery as a whole: its pause, its pace and its breaker, at QStash and here. */
import type { Verdict } from "../../shared/outcome.ts";
import type { Settings } from "../variables.ts";
import type { FlowKey } from "../qstash/flow-control.ts";
import type { Fetch } from "../qstash/request.ts";
import type { Agenda } from "./agenda.ts";
import {
  afterAttempt,
  afterDelivered,
  afterFailedProbe,
  afterProbe,
  afterProbeBegan,
  CLOSED,
  probeSource,
  type Breaker,
} from "./breaker.ts";
import { DeliveryState } from "./delivery-state.ts";
import type { IncidentKind } from "./incidents.ts";
import { Pace } from "./pace.ts";
import { outranks, type Pause, type Turn } from "./pause.ts";
import { probe, sendLate, type ProbePorts } from "./probe.ts";
import type { ProbeControl } from "./probe-ports.ts";
import { changeAtQueue, heldKeys, ownKeys, pauseQueue, resumeQueue, type OwnKeys } from "./queue-switch.ts";
import type { Tally } from "./tally.ts";

interface ControlPorts {
  /** Undefined while a variable is missing or malformed. */
  readonly settings: () => Settings | undefined;
  readonly fetch: Fetch;
  readonly probePorts: (settings: Settings, control: ProbeControl) => ProbePorts;
  readonly store: DurableObjectStorage["kv"];
  readonly now: () => number;
  readonly agenda: Agenda<"pause" | "alert">;
  readonly tally: Tally;
  readonly report: (kind: IncidentKind, detail: string) => Promise<void>;
  readonly resolve: (kind: IncidentKind) => Promise<void>;
  /** Called with the number of events that a round of probes, or of late events, has delivered. */
  readonly delivered: (count: number) => void;
}

export class DeliveryControl {
  readonly #ports: ControlPorts;
  readonly #state: DeliveryState;
  readonly #pace: Pace;
  /** Settles when the last call to QStash's switch has ended. */
  #switching: Promise<unknown> = Promise.resolve();

  constructor(ports: ControlPorts) {
    this.#ports = ports;
    this.#state = new DeliveryState(ports.store);
    this.#pace = new Pace(ports.store);
    this.#doubtPause();
  }

  get pauseState(): Pause | null {
    return this.#state.pause;
  }

  /** When the next probe is due; null if none is. */
  get nextProbeMs(): number | null {
    return this.#state.isProbing ? this.#state.breaker.nextProbeMs : null;
  }

  /** When the alarm must ring for it; Infinity if it need not. */
  get dueMs(): number {
    const confirmMs = this.#state.pause?.confirmed === false ? this.#agenda.retryMs("pause") : Infinity;
    return Math.min(confirmMs, this.nextProbeMs ?? Infinity);
  }

  /**
   * Decides the turn of a delivery of `count` events and takes their tokens. `answeredAgoMs` says how long ago the caller last got
   * a real answer from WorkOS that it has not reported yet. `wanted` tokens would serve its next events, and `unused` ones come back;
   * an isolate of the previous release has neither.
   */
  async turn(
    count: number,
    longestWaitMs: number,
    answeredAgoMs: number | null,
    wanted = 0,
    unused = 0,
  ): Promise<Turn> {
    const nowMs = this.#now();
    const { lastFailureMs } = this.#state.breaker;
    // An answer older than the newest failure does not interrupt a series of failures.
    if (answeredAgoMs !== null && nowMs - answeredAgoMs > lastFailureMs)
      await this.#become(afterDelivered(this.#state.breaker, 1));
    const rate = this.#settings()?.AUDIT_RATE ?? 1;
    const { pause, breaker } = this.#state;
    const waitMs = pause ? 0 : this.#pace.take(count, rate, longestWaitMs, nowMs, unused);
    const isWatched = breaker.phase !== "closed" || breaker.failures > 0;
    return { pause, waitMs, isWatched, lent: pause || isWatched ? 0 : this.#pace.lend(wanted, rate) };
  }

  /** Processes the results of attempts, in order. `deliveredBefore` were delivered earlier without a report. */
  async ended(verdicts: readonly Verdict[], deliveredBefore: number): Promise<void> {
    const nowMs = this.#now();
    // Another pause holds: results of attempts already under way say nothing new.
    if (this.#state.pause) return;
    let breaker = afterDelivered(this.#state.breaker, deliveredBefore);
    for (const verdict of verdicts) breaker = afterAttempt(breaker, verdict, nowMs);
    await this.#become(breaker);
  }

  /** Pauses delivery: stores the pause first, then calls QStash until it confirms. */
  pause(reason: string, by: Pause["by"], operator?: string): Promise<Pause> {
    return this.#inTurn(async () => {
      const known = this.#state.pause;
      if (known && !outranks(by, known)) return known;
      // The breaker's pause at QStash also serves the new pause.
      const named = operator === undefined ? {} : { operator };
      const pause: Pause = { confirmed: false, ...known, reason, by, ...named, sinceMs: this.#now() };
      this.#state.pause = pause;
      await this.#ports.report("paused", `delivery is paused: ${reason}`);
      return pause.confirmed ? pause : this.#confirm(pause);
    });
  }

  /**
   * Removes the pause, then resumes at QStash, so that no message arrives too early. False if QStash does not confirm: then
   * delivery stays paused. Also resets the breaker.
   */
  resume(): Promise<boolean> {
    return this.#inTurn(async () => {
      const isResumed = await this.#resumeTo(CLOSED);
      if (isResumed) await this.#resolveAll(["paused", "destination_down"]);
      return isResumed;
    });
  }

  /**
   * Adopts the state of the configured key at QStash: a key that runs again means a resume, and one paused there means a pause.
   * Returns our keys.
   */
  async reconcile(): Promise<OwnKeys> {
    const switching = this.#switching;
    await switching;
    const settings = this.#settings();
    if (!settings) return { kind: "unreachable", reason: "not_configured" };
    const known = this.#state.pause;
    const own = await ownKeys(settings, this.#ports.fetch, this.#state.usedKeys(settings));
    if (own.kind === "unreachable") return own;
    // QStash's answer is outdated if somebody has paused or resumed here in the meantime.
    if (known?.confirmed !== false && switching === this.#switching) await this.#takeOver(settings, known, own.keys);
    return own;
  }

  /**
   * Sends the events that would otherwise wait hours for their last retry. Sends nothing while delivery is paused: the probes and
   * the sending after them cover these events.
   */
  async sendLate(): Promise<void> {
    const settings = this.#settings();
    if (!settings || this.#state.pause) return;
    const delivered = await sendLate(this.#probePorts(settings, () => this.#state.pause !== null));
    if (delivered > 0) this.#ports.delivered(delivered);
    if (!this.#state.pause) await this.#become(afterDelivered(this.#state.breaker, delivered));
  }

  /** Runs each part that is due, independently. */
  work(): readonly Promise<void>[] {
    return [this.#confirmPending(), this.#probe()];
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
      await this.#ports.report("paused", `delivery is paused: ${reason}`);
    } else if (!known) await this.#tellHeld(heldKeys(key, keys));
  }

  /** Delivery continues, but messages under another of our keys would wait until an operator resumes. */
  async #tellHeld(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return this.#ports.resolve("paused");
    const names = keys.map((name) => `"${name}"`).join(", ");
    await this.#ports.report("paused", `messages wait under a key that is paused at QStash: ${names}`);
  }

  /** Stores a new state of the breaker, and acts on it if its phase has changed. */
  async #become(breaker: Breaker): Promise<void> {
    const before = this.#state.breaker;
    if (breaker === before) return;
    this.#state.breaker = breaker;
    if (breaker.phase === before.phase) return;
    if (breaker.phase === "closed") await this.#ports.resolve("destination_down");
    if (breaker.phase === "open") await this.#open();
  }

  async #open(): Promise<void> {
    this.#ports.tally.add({ breaker_opened: 1 });
    const reason = "WorkOS is down";
    const pause: Pause = { reason, by: "breaker", sinceMs: this.#now(), confirmed: false };
    this.#state.pause = pause;
    const detail = "the last attempts at WorkOS failed; messages wait, and delivery resumes by itself";
    await this.#ports.report("destination_down", detail);
    await this.#inTurn(async () => {
      if (this.#state.pause === pause) await this.#confirm(pause);
    });
    await this.#agenda.arm();
  }

  async #probe(): Promise<void> {
    const settings = this.#settings();
    if (!settings || !this.#state.isProbing || this.#state.breaker.nextProbeMs > this.#now()) return;
    // Schedule the next one first: a crash must not cause another probe at once.
    this.#state.breaker = afterProbeBegan(this.#state.breaker, this.#now());
    const isStopped = () => !this.#state.isProbing;
    const sourceFor = (waiting: number) => probeSource(this.#state.breaker, waiting);
    const probed = await probe(this.#probePorts(settings, isStopped), sourceFor);
    if (probed.kind === "stopped" || isStopped()) return;
    this.#ports.tally.add({ [`probes_${probed.kind}`]: 1 });
    if (probed.kind === "down") this.#state.breaker = afterFailedProbe(this.#state.breaker, probed.source);
    if (probed.kind === "refused") await this.pause(`WorkOS refuses the API key (${probed.reason})`, "credential");
    if (probed.kind === "up" && probed.delivered > 0) this.#ports.delivered(probed.delivered);
    if (probed.kind === "up") await this.#inTurn(() => this.#resumeAfter(probed.delivered));
  }

  #probePorts(settings: Settings, isStopped: () => boolean): ProbePorts {
    const takeTurn = () => this.#pace.take(1, settings.AUDIT_RATE, Infinity, this.#now());
    const flowKeys = this.#state.usedKeys(settings);
    return this.#ports.probePorts(settings, { now: this.#ports.now, takeTurn, isStopped, flowKeys });
  }

  async #resumeAfter(delivered: number): Promise<void> {
    if (!this.#state.isProbing) return;
    const next = afterProbe(this.#state.breaker, delivered);
    if ((await this.#resumeTo(next)) && next.phase === "closed") await this.#ports.resolve("destination_down");
  }

  /** Resumes at QStash. If that is not confirmed, or a crash interrupts it, the earlier state stays. */
  async #resumeTo(breaker: Breaker): Promise<boolean> {
    const settings = this.#settings();
    this.#state.beginResume(breaker);
    const isResumed = !!settings && (await resumeQueue(settings, this.#ports.fetch, this.#state.usedKeys(settings)));
    this.#state.endResume(isResumed);
    // The alarm may have rung in the meantime and found nothing to do.
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
    const confirmed = !!settings && (await pauseQueue(settings, this.#ports.fetch, this.#state.usedKeys(settings)));
    const asked = { ...pause, confirmed, ...(settings ? { key: settings.AUDIT_FLOW_CONTROL_KEY } : {}) };
    this.#state.pause = asked;
    if (confirmed) this.#agenda.succeeded("pause");
    else this.#agenda.failed("pause");
    await this.#agenda.arm();
    return asked;
  }

  /** One after another: of two concurrent calls, the first could otherwise reach QStash last. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#switching.then(work);
    this.#switching = done.catch(() => undefined);
    return done;
  }

  async #resolveAll(kinds: readonly IncidentKind[]): Promise<void> {
    for (const kind of kinds) await this.#ports.resolve(kind);
  }

  /** A pause under a key other than the configured one does not hold back new messages. */
  #doubtPause(): void {
    const key = this.#settings()?.AUDIT_FLOW_CONTROL_KEY;
    const { confirmed, key: paused = key } = this.#state.pause ?? {};
    if (this.#state.pause && confirmed && paused !== key)
      this.#state.pause = { ...this.#state.pause, confirmed: false };
  }

  get #agenda() {
    return this.#ports.agenda;
  }

  #now(): number {
    return this.#ports.now();
  }

  #settings(): Settings | undefined {
    return this.#ports.settings();
  }
}
