/** The real ports of a probe: the ledger's waiting events, messages that wait at QStash, and WorkOS. */
import { directoryOf } from "../live-directory.ts";
import type { Env } from "../env.ts";
import type { Settings } from "../variables.ts";
import { claimWaiting, ledgerPort, lookup, waitingSince } from "../ledger/client.ts";
import { prepareAll } from "../prepared-event.ts";
import { waitingBodies } from "../qstash/message-log.ts";
import { leafOf } from "../ledger/leaf.ts";
import { eventSender } from "../workos.ts";
import type { ProbePorts } from "./probe.ts";
import { claimUntried } from "./untried.ts";

export interface ProbeControl {
  readonly now: () => number;
  /** Takes the token of one event; returns how long it must wait, in ms. */
  readonly takeTurn: () => number;
  readonly isStopped: () => boolean;
  /** The flow-control keys under which our messages may wait. */
  readonly flowKeys: readonly string[];
}

/** Makes one set of ports per round of probes, with its own lease. Events are searched in the active shards of the ledger. */
export function probePorts(
  env: Env,
  settings: Settings,
  control: ProbeControl,
  activeShards: () => readonly number[],
): ProbePorts {
  const { now, takeTurn, isStopped, flowKeys } = control;
  const lease = `probe-${crypto.randomUUID()}`;
  const ledger = ledgerPort(env);
  return {
    now,
    candidates: () => waitingSince(env, activeShards()),
    claim: (id) => claimWaiting(env, id, lease, now()),
    claimUntried: () =>
      claimUntried(lease, {
        now,
        bodies: () => waitingBodies(settings, fetch, flowKeys),
        lookup: (ids) => lookup(env, ids),
        prepare: (records) => prepareAll(records, directoryOf(env)),
        ledger,
      }),
    send: eventSender(settings, fetch, now),
    settle: ({ id, body }, attempt) => {
      const leaf = env.EVIDENCE && attempt.outcome === "delivered" ? leafOf(body) : {};
      return ledger.settle(lease, [{ id, attempt, ...leaf }], now());
    },
    turn: async () => {
      const waitMs = takeTurn();
      if (waitMs > 0) await env.clock.wait(waitMs);
    },
    isStopped,
  };
}
