/** One monitor: the real control of delivery over storage that outlives it. It can be killed, and an alarm or a call starts it again. */
import type { VirtualTime } from "../../../bench/virtual-time.ts";
import type { ProbePorts } from "../../../worker/monitor/probe.ts";
import type { Settings } from "../../../worker/variables.ts";
import type { Core, DeliveryControl } from "./core.ts";

/** An alarm whose handler died comes again after this time. */
const ALARM_RETRY_MS = 2_000;

export interface ProbeControl {
  readonly now: () => number;
  readonly takeTurn: () => number;
  readonly isStopped: () => boolean;
  readonly flowKeys: readonly string[];
}

interface MonitorHostPorts {
  readonly core: Core;
  readonly time: VirtualTime;
  readonly settings: Settings;
  readonly fetch: typeof fetch;
  readonly probePorts: (control: ProbeControl) => ProbePorts;
}

interface Life {
  readonly control: DeliveryControl;
  readonly agenda: InstanceType<Core["Agenda"]>;
  readonly lastWords: Set<() => void>;
  isAlive: boolean;
}

export class MonitorHost {
  readonly counts: Record<string, number> = {};
  readonly #ports: MonitorHostPorts;
  readonly #stored = new Map<string, unknown>();
  #life: Life | undefined;
  #cancelAlarm: (() => void) | undefined;
  #isRinging = false;

  constructor(ports: MonitorHostPorts) {
    this.#ports = ports;
  }

  get control(): DeliveryControl {
    return this.#living().control;
  }

  /** A call that fails where the monitor dies meanwhile. */
  call<T>(run: (control: DeliveryControl) => Promise<T>): Promise<T> {
    const life = this.#living();
    return new Promise((resolve, reject) => {
      const broken = () => reject(new Error("the monitor died"));
      life.lastWords.add(broken);
      void run(life.control)
        .then(resolve, reject)
        .finally(() => life.lastWords.delete(broken));
    });
  }

  kill(): void {
    const life = this.#life;
    if (!life) return;
    this.#life = undefined;
    life.isAlive = false;
    for (const broken of life.lastWords) broken();
    if (this.#isRinging) this.#setAlarm(this.#ports.time.now() + ALARM_RETRY_MS);
    this.#isRinging = false;
  }

  #living(): Life {
    if (this.#life) return this.#life;
    const { core, time, settings, fetch, probePorts } = this.#ports;
    const now = time.now;
    const whileAlive = <T>(promise: Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        promise.then(
          (value) => life.isAlive && resolve(value),
          (error: Error) => life.isAlive && reject(error),
        );
      });
    const agenda = new core.Agenda<"pause" | "alert">({
      now,
      setAlarm: (atMs) => Promise.resolve(this.#setAlarm(atMs)),
      dueMs: () => (control.dueMs === Infinity ? undefined : control.dueMs),
    });
    const control: DeliveryControl = new core.DeliveryControl({
      settings: () => settings,
      fetch: (url: string, init?: RequestInit) => whileAlive(fetch(url, init)),
      probePorts: (_: unknown, given: ProbeControl) => wrapped(probePorts(given), whileAlive),
      store: this.#store(),
      now,
      agenda,
      tally: { add: (counts: Record<string, number>) => this.#count(counts) },
      delivered: () => undefined,
      report: () => Promise.resolve(),
      resolve: () => Promise.resolve(),
    });
    const life: Life = { control, agenda, lastWords: new Set(), isAlive: true };
    this.#life = life;
    void agenda.arm();
    return life;
  }

  #store() {
    const stored = this.#stored;
    return {
      get: (key: string) => structuredClone(stored.get(key)),
      put: (key: string, value: unknown) => void stored.set(key, structuredClone(value)),
      delete: (key: string) => stored.delete(key),
    };
  }

  #count(counts: Readonly<Record<string, number>>): void {
    for (const [name, count] of Object.entries(counts)) this.counts[name] = (this.counts[name] ?? 0) + count;
  }

  #setAlarm(atMs: number): void {
    this.#cancelAlarm?.();
    this.#cancelAlarm = this.#ports.time.at(atMs, () => void this.#ring());
  }

  async #ring(): Promise<void> {
    const life = this.#living();
    this.#isRinging = true;
    life.agenda.rang();
    // Nothing here fails but by a mistake, which must not pass for an outage.
    await Promise.all(life.control.work());
    if (!life.isAlive) return;
    this.#isRinging = false;
    await life.agenda.arm();
  }
}

/** Answers to a monitor that died are lost. */
function wrapped(ports: ProbePorts, whileAlive: <T>(promise: Promise<T>) => Promise<T>): ProbePorts {
  return {
    ...ports,
    candidates: () => whileAlive(ports.candidates()),
    claim: (id) => whileAlive(ports.claim(id)),
    claimUntried: () => whileAlive(ports.claimUntried()),
    send: (body, key) => whileAlive(ports.send(body, key)),
    settle: (id, attempt) => whileAlive(ports.settle(id, attempt)),
    turn: () => whileAlive(ports.turn()),
  };
}
