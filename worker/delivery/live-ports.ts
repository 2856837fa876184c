/** The real ports of a delivery. */
import { deadLetters } from "../dead-letters/client.ts";
import { directoryOf } from "../live-directory.ts";
import type { Env } from "../env.ts";
import type { Settings } from "../variables.ts";
import { leafOf } from "../ledger/leaf.ts";
import { ledgerPort } from "../ledger/client.ts";
import { prepareAll } from "../prepared-event.ts";
import { countAttempt, type CountedAttempt, notePolicy } from "../monitor/history-client.ts";
import { eventSender } from "../workos.ts";
import { logRecord } from "./log.ts";
import type { DeliverPorts, RecordEvent } from "./ports.ts";

/** Makes one set of ports per delivery, because timers and requests belong to the invocation that made them. */
export function livePorts(
  env: Env,
  settings: Settings,
  messageId: string | undefined,
  heard: DeliverPorts["heard"],
): DeliverPorts {
  const directory = directoryOf(env);
  return {
    now: env.clock.now,
    ledger: ledgerPort(env),
    prepare: (records) => prepareAll(records, directory),
    send: eventSender(settings, fetch, env.clock.now),
    leafOf: env.EVIDENCE && leafOf,
    park: async (entries) => {
      await deadLetters(env).park([...entries]);
    },
    heard,
    observe: (event) => {
      logRecord(event, messageId);
      const nowMs = env.clock.now();
      const ended = endOf(event, nowMs);
      if (ended) countAttempt(env, ended, nowMs);
      notePolicy(env, event.record.gateway.policyVersion);
    },
  };
}

/** The result of an attempt; undefined if nothing was sent. */
function endOf({ record, result, attempt }: RecordEvent, nowMs: number): CountedAttempt | undefined {
  if (!attempt) return undefined;
  if (result.kind === "delivered") return { kind: "delivered", ageMs: nowMs - record.occurredAtMs };
  return { kind: result.kind === "dead_letter" ? "refused" : "retried" };
}
