/** Decides what goes wrong: spells of trouble from the plan, and a little noise at any time. All of it ends when the run heals. */
import type { VirtualTime } from "../../bench/virtual-time.ts";
import type { CallTrouble } from "./host/durable-objects.ts";
import type { Spoiled } from "./models/workos.ts";
import type { HttpReply, Link, LinkTrouble } from "./network.ts";
import type { Random } from "./random.ts";

export const LINK_TROUBLES = ["reset", "answer_reset", "hang", "answer_hang", "late"] as const;
export const WORKOS_TROUBLES = [
  "500",
  "stored_500",
  "503",
  "429",
  "429_later",
  "408",
  "409",
  "html",
  "success_false",
  "301",
] as const;
export const QUEUE_TROUBLES = ["500", "429", "garbage"] as const;

export interface Spell {
  readonly target: Link | "rpc" | "crash";
  /** A link's trouble, or one of the far end's own; for `rpc` the prefix of the objects it concerns. */
  readonly kind: string;
  /** True times. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly probability: number;
}

export class Chaos {
  /** False once the run heals. */
  isOn = true;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #spells: readonly Spell[];
  readonly #noise: number;

  constructor(time: VirtualTime, random: Random, spells: readonly Spell[], noise: number) {
    this.#time = time;
    this.#random = random;
    this.#spells = spells;
    this.#noise = noise;
  }

  readonly linkTrouble = (link: Link): LinkTrouble => {
    if (!this.isOn) return undefined;
    if (this.#random.chance(this.#noise)) return this.#random.pick(LINK_TROUBLES);
    const kind = this.#spell(link, (spell) => LINK_TROUBLES.includes(spell.kind as "reset"));
    return kind as LinkTrouble;
  };

  readonly callTrouble = (object: string): CallTrouble => {
    const delayMs = this.#random.int(0, 3);
    const answerDelayMs = this.#random.chance(0.2) ? this.#random.int(1, 5) : 0;
    const isSpell = this.isOn && this.#spell("rpc", ({ kind }) => object.startsWith(kind)) !== undefined;
    const isLost = this.isOn && (isSpell || this.#random.chance(this.#noise / 4));
    return { delayMs, answerDelayMs, lost: isLost ? this.#random.pick(["request", "answer"] as const) : undefined };
  };

  readonly mayCrash = (): boolean =>
    this.isOn && (this.#spell("crash", () => true) !== undefined || this.#random.chance(this.#noise / 20));

  readonly spoilWorkos = (): Spoiled | undefined => {
    const kind = this.isOn
      ? this.#spell("workos", (spell) => WORKOS_TROUBLES.includes(spell.kind as "500"))
      : undefined;
    return kind === undefined ? undefined : this.#workosReply(kind);
  };

  readonly spoilQueue = (): HttpReply | undefined => {
    const kind = this.isOn ? this.#spell("queue", (spell) => QUEUE_TROUBLES.includes(spell.kind as "500")) : undefined;
    if (kind === undefined) return undefined;
    return kind === "garbage" ? { status: 200, text: "<html>ok</html>" } : { status: Number(kind), text: "{}" };
  };

  #workosReply(kind: string): Spoiled {
    const reply = (status: number, text = "{}", headers = {}) => ({ status, text, headers });
    if (kind === "stored_500") return { isStored: true, reply: reply(500) };
    if (kind === "html") return { isStored: this.#random.chance(0.5), reply: reply(200, "<html>ok</html>") };
    if (kind === "success_false") return { isStored: this.#random.chance(0.3), reply: reply(200, '{"success":false}') };
    if (kind === "409") return { isStored: this.#random.chance(0.5), reply: reply(409) };
    if (kind === "429") return { isStored: false, reply: reply(429) };
    const later = { "retry-after": String(this.#random.pick([1, 20, 600, 7_200, 90_000])) };
    if (kind === "429_later") return { isStored: false, reply: reply(429, "{}", later) };
    if (kind === "503") return { isStored: false, reply: reply(503, "{}", later) };
    return { isStored: false, reply: reply(Number(kind)) };
  }

  #spell(target: Spell["target"], fits: (spell: Spell) => boolean): string | undefined {
    const nowMs = this.#time.now();
    const found = this.#spells.find(
      (spell) => spell.target === target && spell.fromMs <= nowMs && nowMs < spell.untilMs && fits(spell),
    );
    return found && this.#random.chance(found.probability) ? found.kind : undefined;
  }
}
