/** The globals that the worker uses, virtual inside the simulated world and untouched outside it. */
import type { VirtualTime } from "../../../bench/virtual-time.ts";
import type { Random } from "../random.ts";
import { makeCrypto } from "./crypto.ts";
import { current, runIn, waiting } from "./incarnation.ts";

export interface FetchInit {
  readonly method?: string;
  readonly headers?: unknown;
  readonly body?: string | null;
  readonly signal?: AbortSignal;
}

interface Surroundings {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly fetch: (url: string, init: FetchInit) => Promise<Response>;
}

let surroundings: Surroundings | undefined;
let isInstalled = false;

/** Puts a run's surroundings behind the globals; undefined takes them away. */
export function surroundWith(given: Surroundings | undefined): void {
  surroundings = given;
  if (!isInstalled) install();
  isInstalled = true;
}

function inside(): Surroundings | undefined {
  return current() && surroundings;
}

const RealDate = Date;

class VirtualDate extends RealDate {
  constructor(...given: readonly unknown[]) {
    super(...((given.length > 0 ? given : [VirtualDate.now()]) as [number]));
  }

  static override now(): number {
    const world = inside();
    return world ? world.time.now() + (current()?.skewMs ?? 0) : RealDate.now();
  }
}

/** Cancels the timer of a timeout's signal once the call that it bounds has ended. */
export const timeoutsOf = new WeakMap<AbortSignal, () => void>();

function install(): void {
  const real = { setTimeout, clearTimeout, fetch, crypto };
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  set("Date", VirtualDate);
  set("setTimeout", (run: () => void, ms = 0) => {
    const world = inside();
    if (!world) return real.setTimeout(run, ms);
    const owner = current();
    return { cancel: world.time.after(ms, () => owner?.isAlive && runIn(owner, run)) };
  });
  set("clearTimeout", (timer: unknown) => {
    if (typeof timer === "object" && timer !== null && "cancel" in timer) (timer.cancel as () => void)();
    else real.clearTimeout(timer as NodeJS.Timeout);
  });
  set("scheduler", { wait: (ms: number) => waiting<void>((done) => inside()?.time.after(ms, done)) });
  set(
    "fetch",
    (url: string, init: FetchInit = {}) => inside()?.fetch(url, init) ?? real.fetch(url, init as RequestInit),
  );
  AbortSignal.timeout = (ms) => {
    const world = inside();
    if (!world) return timeout(ms);
    const controller = new AbortController();
    const ring = () => controller.abort(new DOMException("timed out", "TimeoutError"));
    timeoutsOf.set(controller.signal, world.time.after(ms, ring));
    return controller.signal;
  };
  const virtualCrypto = makeCrypto(() => {
    if (!surroundings) throw new Error("no run is under way");
    return surroundings.random;
  });
  Object.defineProperty(globalThis, "crypto", { get: () => (inside() ? virtualCrypto : real.crypto) });
  for (const level of ["log", "warn", "error"] as const) {
    const write = console[level].bind(console);
    console[level] = (...parts: unknown[]) => {
      if (!inside() || process.env["AUDIT_SIM_LOG"]) write(...parts);
    };
  }
}

function set(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
