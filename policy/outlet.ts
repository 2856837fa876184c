/** Sends one message by the first path that takes it: the queue, then the spill; each is tried twice and guarded by a circuit. */
import { type Circuit, makeCircuit } from "./circuit.ts";
import type { Outgoing, Send, Sent } from "./paths.ts";
import { type Ports, sleep } from "./ports.ts";

/** Pause before the second try: long enough for a connection to be made anew. Our choice. */
const AGAIN_AFTER_MS = 50;

export interface Outlet {
  /**
   * Sends a message, each path within `pathMs`. `force` asks dead paths too, where all are dead. One message through is enough:
   * true means that it was acknowledged.
   */
  send(message: Outgoing, pathMs: number, force?: boolean): Promise<boolean>;
  /** True where a path may be asked without `force`. */
  mayAsk(): boolean;
}

interface Path {
  readonly name: string;
  readonly send: Send;
  readonly circuit: Circuit;
}

export interface OutletPaths {
  readonly queue?: Send | undefined;
  readonly spill?: Send | undefined;
}

/** `warn` gets one line whenever a path begins to be left alone. */
export function makeOutlet(
  sends: OutletPaths,
  ports: Pick<Ports, "nowMs" | "timer">,
  warn: (line: string) => void,
): Outlet {
  const paths: Path[] = [];
  if (sends.queue) paths.push({ name: "QStash", send: sends.queue, circuit: makeCircuit() });
  if (sends.spill) paths.push({ name: "the worker", send: sends.spill, circuit: makeCircuit() });

  return {
    mayAsk: () => paths.some(({ circuit }) => circuit.opensAtMs() <= ports.nowMs()),
    async send(message, pathMs, force) {
      let sent: Sent | undefined;
      // Where no path may be asked in the first round, a forced message asks all of them in the second.
      for (const isForced of [false, force]) {
        for (const path of sent ? [] : paths) {
          // Not before its turn: a trial of a path that is not asked after all would leave it alone for another pause.
          if (!isForced && !path.circuit.allows(ports.nowMs())) continue;
          sent = await tryTwice(path.send, message, pathMs, ports);
          if (path.circuit.note(sent.ok, ports.nowMs()) && !sent.ok)
            warn(`audit-log: ${path.name} does not take messages: ${sent.reason}`);
          if (sent.ok) return true;
        }
      }
      return false;
    },
  };
}

async function tryTwice(
  send: Send,
  message: Outgoing,
  pathMs: number,
  ports: Pick<Ports, "nowMs" | "timer">,
): Promise<Sent> {
  const endMs = ports.nowMs() + pathMs;
  const first = await send(message, pathMs);
  if (first.ok || !first.again || ports.nowMs() + AGAIN_AFTER_MS >= endMs) return first;
  await sleep(ports, AGAIN_AFTER_MS);
  return send(message, Math.max(endMs - ports.nowMs(), 1));
}
