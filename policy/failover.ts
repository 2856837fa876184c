/** Sends one message by the first path that accepts it. Tries each path twice, protected by a circuit breaker. */
import { type Circuit, makeCircuit } from "./circuit.ts";
import type { Outgoing, Send, SendResult } from "./paths.ts";
import { type Ports, sleep } from "./ports.ts";

/** Pause before the second try: long enough to open a new connection. Our choice. */
const AGAIN_AFTER_MS = 50;
/** An answer that takes longer is called slow in the log. Our choice. */
const SLOW_MS = 1_000;

type PathName = "queue" | "spill";

interface SendOptions {
  /** Uses blocked paths too if all paths are blocked. */
  readonly force?: boolean;
  /** The path to try first, by default the queue. */
  readonly first?: PathName;
}

export interface Failover {
  /** Resolves to true once either path has acknowledged the message. Each path gets `pathMs`. */
  send(message: Outgoing, pathMs: number, options?: SendOptions): Promise<boolean>;
  /** True if a path may be used without `force`. */
  mayAsk(): boolean;
  /** The result of each path for its last message, as a clause for the log. */
  describe(): string;
}

interface Path {
  readonly key: PathName;
  readonly name: string;
  readonly send: Send;
  readonly circuit: Circuit;
  lastReason?: string | undefined;
  lastTookMs: number;
}

export type FailoverPaths = { readonly [K in PathName]?: Send | undefined };

const NAMES = { queue: "QStash", spill: "the worker" } as const;

/** `warn` receives one line each time that a path becomes blocked. */
export function makeFailover(
  sends: FailoverPaths,
  ports: Pick<Ports, "nowMs" | "timer">,
  warn: (line: string) => void,
): Failover {
  const paths = (["queue", "spill"] as const).flatMap((key): Path[] => {
    const send = sends[key];
    return send ? [{ key, name: NAMES[key], send, circuit: makeCircuit(), lastTookMs: 0 }] : [];
  });

  async function ask(path: Path, message: Outgoing, pathMs: number): Promise<boolean> {
    const startMs = ports.nowMs();
    const sent = await tryTwice(path.send, message, pathMs, ports);
    path.lastTookMs = ports.nowMs() - startMs;
    path.lastReason = sent.ok ? undefined : sent.reason;
    const blocksNow = path.circuit.note(sent.ok, ports.nowMs());
    if (blocksNow && !sent.ok) warn(`audit-log: ${path.name} does not take messages: ${sent.reason}`);
    return sent.ok;
  }

  return {
    mayAsk: () => paths.some(({ circuit }) => circuit.blockedUntilMs() <= ports.nowMs()),
    describe: () => paths.map(describePath).join("; "),
    async send(message, pathMs, { force = false, first = "queue" } = {}) {
      const ordered = paths.toSorted((a, b) => Number(b.key === first) - Number(a.key === first));
      let isAsked = false;
      // A forced message uses all paths in the second round if none was available in the first.
      for (const isForced of [false, force]) {
        for (const path of isAsked ? [] : ordered) {
          // Checked only at this path's turn: a probe that is not sent would block the path for another period.
          if (!isForced && !path.circuit.allows(ports.nowMs())) continue;
          isAsked = true;
          if (await ask(path, message, pathMs)) return true;
        }
      }
      return false;
    },
  };
}

function describePath({ name, lastReason, lastTookMs }: Path): string {
  if (lastReason !== undefined) return `${name} does not take messages (${lastReason})`;
  if (lastTookMs > SLOW_MS) return `${name} is slow (${lastTookMs} ms for a message)`;
  return `${name} takes messages`;
}

async function tryTwice(
  send: Send,
  message: Outgoing,
  pathMs: number,
  ports: Pick<Ports, "nowMs" | "timer">,
): Promise<SendResult> {
  const endMs = ports.nowMs() + pathMs;
  const first = await send(message, pathMs);
  if (first.ok || !first.again || ports.nowMs() + AGAIN_AFTER_MS >= endMs) return first;
  await sleep(ports, AGAIN_AFTER_MS);
  return send(message, Math.max(endMs - ports.nowMs(), 1));
}
