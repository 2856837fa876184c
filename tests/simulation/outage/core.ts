/** The worker's rules that decide how an outage goes, without routes, Durable Objects and HTTP: real modules, which a mutation may change. */
import type * as agenda from "../../../worker/monitor/agenda.ts";
import type * as answer from "../../../worker/delivery/answer.ts";
import type * as shard from "../../../worker/ledger/shard.ts";
import type * as decode from "../../../worker/message/decoded-message.ts";
import type * as deliver from "../../../worker/delivery/record-delivery.ts";
import type * as prepare from "../../../worker/prepared-event.ts";
import type * as untried from "../../../worker/monitor/untried.ts";
import type { Verdict } from "../../../shared/outcome.ts";
import type { Pause, Turn } from "../../../worker/monitor/pause.ts";
import { loadModules, type SourceMutation } from "../host/system.ts";

/** The control of delivery without the types of its platform. */
export interface DeliveryControl {
  readonly dueMs: number;
  turn(
    count: number,
    longestWaitMs: number,
    answeredAgoMs: number | null,
    wanted?: number,
    unused?: number,
  ): Promise<Turn>;
  ended(verdicts: readonly Verdict[], deliveredBefore: number): Promise<void>;
  pause(reason: string, by: Pause["by"]): Promise<Pause>;
  resume(): Promise<boolean>;
  reconcile(): Promise<unknown>;
  sendLate(): Promise<void>;
  work(): readonly Promise<void>[];
}

/** What the monitor's client needs of the environment is only the monitor. */
interface Client {
  readonly TURN_MAX_MS: number;
  readonly takeTurn: (env: object, count: number, shards: readonly number[], nowMs: number) => Promise<Turn>;
  readonly reportVerdicts: (
    env: object,
    verdicts: readonly Verdict[],
    isWatched: boolean,
    nowMs: number,
  ) => Promise<void>;
  readonly pauseDelivery: (env: object, reason: string, by: Pause["by"]) => Promise<Pause>;
}

export type Core = { readonly DeliveryControl: new (ports: object) => DeliveryControl } & Client &
  typeof agenda &
  typeof answer &
  typeof shard &
  typeof decode &
  typeof deliver &
  typeof prepare &
  typeof untried;

const MODULES = [
  "worker/monitor/agenda.ts",
  "worker/delivery/answer.ts",
  "worker/ledger/shard.ts",
  "worker/monitor/client.ts",
  "worker/monitor/delivery-control.ts",
  "worker/message/decoded-message.ts",
  "worker/delivery/record-delivery.ts",
  "worker/prepared-event.ts",
  "worker/monitor/untried.ts",
];

export async function loadCore(mutant?: SourceMutation): Promise<Core> {
  const modules = await loadModules(MODULES, mutant);
  return Object.assign({}, ...modules) as Core;
}
