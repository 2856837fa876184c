/** How WorkOS fails at a moment of the schedule. */
import type { Random } from "../random.ts";
import type { OutagePlan } from "./plan.ts";

interface Trouble {
  /** `lost`: no answer within the time limit. */
  readonly answer: { readonly status: number; readonly json?: unknown } | "network" | "lost";
  readonly isStored: boolean;
}

const FAILING = { answer: { status: 500, json: { message: "m" } }, isStored: false } as const;

/** The outage of one schedule; `isFailing` says whether an event fails by itself. */
export class Outage {
  readonly #plan: OutagePlan;
  readonly #random: Random;
  readonly #isFailing: (eventId: string) => boolean;
  #requests = 0;

  constructor(plan: OutagePlan, random: Random, isFailing: (eventId: string) => boolean) {
    this.#plan = plan;
    this.#random = random;
    this.#isFailing = isFailing;
  }

  /** Undefined where WorkOS works. */
  next(eventId: string, atMs: number): Trouble | undefined {
    this.#requests += 1;
    if (this.#isDown(atMs)) return this.#trouble();
    return this.#isFailing(eventId) ? FAILING : undefined;
  }

  #isDown(atMs: number): boolean {
    const { shape, outage, flapMs } = this.#plan;
    if (shape === "none" || atMs < outage.fromMs || atMs >= outage.untilMs) return false;
    const sinceMs = atMs - outage.fromMs;
    if (shape === "every_second") return this.#requests % 2 === 0;
    if (shape === "flapping") return Math.floor(sinceMs / flapMs) % 2 === 0;
    if (shape === "slow_death") return this.#random.chance((2 * sinceMs) / (outage.untilMs - outage.fromMs));
    return true;
  }

  #trouble(): Trouble {
    const { failure } = this.#plan;
    if (failure === "reset") return { answer: "network", isStored: this.#random.chance(0.5) };
    if (failure === "timeout" || failure === "lost") return { answer: "lost", isStored: failure === "lost" };
    if (failure === "html") return { answer: { status: 200 }, isStored: false };
    const isStored = failure === "stored_500";
    return { answer: { status: isStored ? 500 : Number(failure), json: { message: "m" } }, isStored };
  }
}
