/** The worker with a clock that `POST /test/clock?by_ms=…` moves forward: for the isolate, and for every Durable Object that it has started. */
import { Archive, EvidenceLog, Ledger, Monitor, Outbox } from "../../../worker/index.ts";
import worker from "../../../worker/index.ts";
import type { PlatformEnv } from "../../../worker/env.ts";
import { moveAlarm, moveClock } from "./movable-clock.workerd.ts";

type ObjectClass = new (state: DurableObjectState, env: PlatformEnv) => object;
type Movable = Rpc.DurableObjectBranded & { moveAlarm(byMs: number): Promise<void> };

/** How to reach each of them, by its id. */
const started = new Map<string, () => DurableObjectStub<Movable>>();

function movable(Base: ObjectClass, binding: string) {
  return class extends Base {
    readonly #storage: DurableObjectStorage;

    constructor(state: DurableObjectState, env: PlatformEnv) {
      super(state, env);
      this.#storage = state.storage;
      const namespace = env[binding] as DurableObjectNamespace<Movable>;
      started.set(`${binding} ${state.id.toString()}`, () => namespace.get(state.id));
    }

    moveAlarm(byMs: number): Promise<void> {
      return moveAlarm(this.#storage, byMs);
    }
  };
}

const [MovableArchive, MovableEvidenceLog, MovableLedger, MovableMonitor, MovableOutbox] = [
  movable(Archive, "ARCHIVE"),
  movable(EvidenceLog, "EVIDENCE_LOG"),
  movable(Ledger, "LEDGER"),
  movable(Monitor, "MONITOR"),
  movable(Outbox, "OUTBOX"),
];
export {
  MovableArchive as Archive,
  MovableEvidenceLog as EvidenceLog,
  MovableLedger as Ledger,
  MovableMonitor as Monitor,
  MovableOutbox as Outbox,
};

export default {
  ...worker,
  async fetch(request, env, execution) {
    const url = new URL(request.url);
    if (url.pathname !== "/test/clock") return worker.fetch(request, env, execution);
    const byMs = Number(url.searchParams.get("by_ms"));
    moveClock(byMs);
    await Promise.all([...started.values()].map((stub) => stub().moveAlarm(byMs)));
    return new Response();
  },
} satisfies ExportedHandler<PlatformEnv>;
