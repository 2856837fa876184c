/** The real ports of a probe: the ledger's waiting events, and WorkOS. */
import type { Env, Settings } from "../env.ts";
import { claimWaiting, ledgerPort, waitingIds } from "../ledger/client.ts";
import { eventSender } from "../workos.ts";
import type { ProbePorts } from "./probe.ts";

interface ProbeControl {
  readonly now: () => number;
  /** Takes the token of one event; returns how long it waits, in ms. */
  readonly takeTurn: () => number;
  readonly isStopped: () => boolean;
}

/** One set of ports for each round of probes, under a lease of its own. */
export function probePorts(env: Env, settings: Settings, { now, takeTurn, isStopped }: ProbeControl): ProbePorts {
  const lease = `probe-${crypto.randomUUID()}`;
  const ledger = ledgerPort(env);
  return {
    now,
    candidates: () => waitingIds(env),
    claim: (id) => claimWaiting(env, id, lease, now()),
    send: eventSender(settings, fetch),
    settle: (id, attempt) => ledger.settle(lease, [{ id, attempt }], now()),
    turn: async () => {
      const waitMs = takeTurn();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    },
    isStopped,
  };
}
