/** The real ports of a delivery. */
import type { Env, Settings } from "../env.ts";
import { enrich } from "../enrich.ts";
import { ledgerPort } from "../ledger/client.ts";
import { sendEvent } from "../workos.ts";
import type { DeliverPorts, Prepared } from "./ports.ts";
import { logRecord } from "./log.ts";

export function livePorts(env: Env, settings: Settings, messageId: string | undefined): DeliverPorts {
  return {
    now: Date.now,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    ledger: ledgerPort(env),
    prepare: (records) =>
      Promise.resolve(
        records.map((record): Prepared => {
          const event = enrich(record);
          if (!event) return { kind: "rejected", reason: "organization_missing" };
          return { kind: "ready", body: JSON.stringify(event), organization: event.organization_id };
        }),
      ),
    send: (body, key) => sendEvent(settings, fetch, body, key),
    park: async (entries) => {
      await env.ARCHIVE.getByName("archive").park([...entries]);
    },
    observe: (event) => logRecord(event, messageId),
  };
}
