/** The pause, the breaker and the former flow-control keys, in memory and on disk. */
import type { Settings } from "../variables.ts";
import { CLOSED, type Breaker } from "./breaker.ts";
import type { Pause } from "./pause.ts";

/** What a resume changes while it is under way. */
interface Before {
  readonly pause: Pause | null;
  readonly breaker: Breaker;
}

const BEFORE = "resuming";

type Store = Pick<DurableObjectStorage["kv"], "get" | "put" | "delete">;

export class DeliveryState {
  readonly #store: Store;
  #pause: Pause | null;
  #breaker: Breaker;

  constructor(store: Store) {
    this.#store = store;
    this.#pause = store.get<Pause>("pause") ?? null;
    // An earlier version stored fewer fields.
    this.#breaker = { ...CLOSED, ...store.get<Breaker>("breaker") };
    this.endResume(false);
  }

  /** Delivery continues in memory from now, so that no message arrives too early; the earlier state stays on disk until `endResume`. */
  beginResume(breaker: Breaker): void {
    const before: Before = { pause: this.#pause, breaker: this.#breaker };
    this.#store.put(BEFORE, before);
    this.pause = null;
    this.breaker = breaker;
  }

  /** Drops the earlier state, or restores it if QStash has not confirmed the resume. */
  endResume(isResumed: boolean): void {
    const before = this.#store.get<Before>(BEFORE);
    if (!before) return;
    if (!isResumed) {
      this.pause = before.pause;
      this.breaker = before.breaker;
    }
    this.#store.delete(BEFORE);
  }

  get pause(): Pause | null {
    return this.#pause;
  }

  set pause(pause: Pause | null) {
    this.#pause = pause;
    if (pause) this.#store.put("pause", pause);
    else this.#store.delete("pause");
  }

  get breaker(): Breaker {
    return this.#breaker;
  }

  /** Writing an unchanged state costs nothing. */
  set breaker(breaker: Breaker) {
    if (breaker === this.#breaker) return;
    this.#breaker = breaker;
    this.#store.put("breaker", breaker);
  }

  /** True for an operator's pause or a refused credential: both outrank the breaker, and nothing may be sent. */
  get isProbing(): boolean {
    return this.#breaker.phase === "open" && this.#pause?.by === "breaker";
  }

  /** The flow-control keys that this worker has used, including the current one. */
  usedKeys({ AUDIT_FLOW_CONTROL_KEY: key }: Pick<Settings, "AUDIT_FLOW_CONTROL_KEY">): readonly string[] {
    const known = this.#store.get<readonly string[]>("flow_keys") ?? [];
    if (known.includes(key)) return known;
    const keys = [...known, key];
    this.#store.put("flow_keys", keys);
    return keys;
  }
}
